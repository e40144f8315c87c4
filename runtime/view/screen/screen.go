// Package screen protects a terminal from what is written to it. Logs, records and error messages contain text of others, and
// a terminal obeys what it finds in such text: it changes its title, moves the cursor over earlier lines, writes to the
// clipboard, or answers as if the user had typed.
//
// The package knows nothing of logs and runs. What pipec itself draws with control sequences is written past it.
package screen

import (
	"io"
	"sync"
	"unicode"
	"unicode/utf8"
)

// reset is the sequence that ends all colors.
const reset = "\x1b[0m"

// Writer passes on text, line feeds, tabs and colors (SGR). It removes all other escape sequences and control characters, also
// those of C1 and characters that change the direction of text. Bytes that are not UTF-8 become U+FFFD. A sequence may be split
// over several calls. It is safe for concurrent use.
type Writer struct {
	mu      sync.Mutex
	to      io.Writer
	state   state
	held    []byte // the beginning of a color or of a character
	colored bool   // colors were set and not reset
	out     []byte // buffer of Write
}

// state is what the next byte belongs to.
type state int

const (
	text     state = iota
	escape         // ESC was read
	sequence       // CSI, held may become a color
	ignored        // CSI that does not set a color
	command        // the text of OSC, DCS, SOS, PM or APC, up to BEL or ST
	ending         // ESC was read in such a text
)

// New returns a writer to a terminal.
func New(to io.Writer) *Writer { return &Writer{to: to} }

// Write writes what remains of p. It returns len(p) if that was written.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == text && len(w.held) == 0 && plain(p) {
		return w.to.Write(p)
	}
	w.out = w.out[:0]
	for _, b := range p {
		w.next(b)
	}
	if len(w.out) > 0 {
		if _, err := w.to.Write(w.out); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close resets the colors. It does not close the terminal.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.colored {
		return nil
	}
	w.colored = false
	_, err := io.WriteString(w.to, reset)
	return err
}

// plain reports whether a terminal only prints p.
func plain(p []byte) bool {
	for _, b := range p {
		if (b < ' ' || b > '~') && b != '\n' && b != '\t' {
			return false
		}
	}
	return true
}

// maxColor is the longest color that is passed on, in bytes.
const maxColor = 64

// next reads one byte.
func (w *Writer) next(b byte) {
	switch w.state {
	case text:
		w.text(b)
	case escape:
		w.escaped(b)
	case sequence:
		w.held = append(w.held, b)
		switch {
		case b == 'm':
			w.colored = string(w.held) != reset && string(w.held) != "\x1b[m"
			w.out = append(w.out, w.held...)
			w.held, w.state = w.held[:0], text
		case b >= '0' && b <= ';' && len(w.held) < maxColor: // digits, colon and semicolon
		default:
			w.held, w.state = w.held[:0], ignored
			w.ignore(b)
		}
	case ignored:
		w.ignore(b)
	case command:
		switch b {
		case 0x07, 0x18, 0x1a: // BEL; CAN and SUB cancel it
			w.state = text
		case 0x1b:
			w.state = ending
		}
	case ending:
		if w.state = text; b != '\\' {
			w.escaped(b)
		}
	}
}

// escaped reads the byte that follows ESC.
func (w *Writer) escaped(b byte) {
	switch {
	case b == '[':
		w.held, w.state = append(w.held[:0], 0x1b, '['), sequence
	case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_':
		w.state = command
	case b >= ' ' && b <= '/': // an intermediate byte: the sequence continues
		w.state = escape
	case b > '/' && b <= '~': // it is complete
		w.state = text
	default:
		w.state = text
		w.text(b)
	}
}

// ignore reads a byte of a control sequence that is removed.
func (w *Writer) ignore(b byte) {
	switch {
	case b >= 0x40 && b <= 0x7e:
		w.state = text
	case b < ' ' || b > '~': // it is broken off
		w.state = text
		w.text(b)
	}
}

// text reads a byte outside of sequences.
func (w *Writer) text(b byte) {
	switch {
	case len(w.held) > 0 || b >= utf8.RuneSelf:
		w.held = append(w.held, b)
		w.characters()
	case b == 0x1b:
		w.state = escape
	case b == '\n' || b == '\t' || b >= ' ' && b < 0x7f:
		w.out = append(w.out, b)
	}
}

// characters prints the complete characters of held. If a byte is ASCII, those before it were not a character.
func (w *Writer) characters() {
	for len(w.held) > 0 && utf8.FullRune(w.held) {
		r, size := utf8.DecodeRune(w.held)
		rest := w.held[size:]
		switch {
		case r < utf8.RuneSelf:
			held := append([]byte(nil), rest...)
			w.held = w.held[:0]
			w.text(byte(r))
			for _, b := range held {
				w.next(b)
			}
			return
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
		default:
			w.out = utf8.AppendRune(w.out, r)
		}
		w.held = append(w.held[:0], rest...)
	}
}
