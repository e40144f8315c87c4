package lines

import (
	"bytes"
	"io"
	"sync"
)

// Mark is written into the output of a container, which a node passes on only at the ends of lines, when a line that is
// overwritten stays open. It is not in the stored log. Terminals take it for a reset of colors and the end of a line.
const Mark = "\x1b[0;0;0m\n"

// Marker writes a log to the output of a container, with marks in it so that the states of a line that is overwritten
// are visible while the line is open. It is safe for concurrent use, and must be closed.
type Marker struct {
	mu    sync.Mutex
	w     io.Writer
	pace  pace
	again bool // the open line has a carriage return
	err   error
}

// NewMarker returns a Marker that writes to w.
func NewMarker(w io.Writer) *Marker {
	m := &Marker{w: w}
	m.pace.mu = &m.mu
	return m
}

// Write writes p.
func (m *Marker) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.w.Write(p)
	open := p
	if end := bytes.LastIndexByte(p, '\n'); end >= 0 {
		open, m.again = p[end+1:], false
	}
	if m.again = m.again || bytes.IndexByte(open, '\r') >= 0; m.again {
		m.pace.soon(m.mark)
	}
	return n, err
}

// mark writes a mark, unless the line has ended. The text after it continues the line.
func (m *Marker) mark() {
	if m.again && m.err == nil {
		_, m.err = io.WriteString(m.w, Mark)
	}
}

// Close writes no more marks.
func (m *Marker) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pace.stop()
}

// Unmarker removes the marks of a Marker from what is written to it. It holds back only what may be the start of a mark,
// which contains no newline.
type Unmarker struct {
	W    io.Writer
	held []byte
}

// Write writes p to W without its marks.
func (u *Unmarker) Write(p []byte) (int, error) {
	n := len(p)
	if len(u.held) > 0 {
		p = append(u.held, p...)
	}
	for {
		i := bytes.Index(p, []byte(Mark))
		if i < 0 {
			break
		}
		if err := u.write(p[:i]); err != nil {
			return 0, err
		}
		p = p[i+len(Mark):]
	}
	end := len(p) - started(p)
	err := u.write(p[:end])
	u.held = append([]byte(nil), p[end:]...)
	return n, err
}

// Flush writes what is held back: nothing follows it.
func (u *Unmarker) Flush() error {
	err := u.write(u.held)
	u.held = nil
	return err
}

func (u *Unmarker) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := u.W.Write(p)
	return err
}

// started returns how many bytes at the end of p may be the start of a mark.
func started(p []byte) int {
	tail := p[max(0, len(p)-len(Mark)+1):]
	if i := bytes.LastIndexByte(tail, Mark[0]); i >= 0 && Mark[:len(tail)-i] == string(tail[i:]) {
		return len(tail) - i
	}
	return 0
}
