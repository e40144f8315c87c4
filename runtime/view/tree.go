package view

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"pipec.dev/pipec/schema/record"
)

// redraw is the shortest time between two frames.
const redraw = time.Second / 12

// Tree shows a run on a terminal as a list of its steps that is redrawn in place, below the lines that the steps write.
type Tree struct {
	o    Options
	size func() (columns, rows int)
	quit chan struct{}
	done chan struct{}

	mu    sync.Mutex
	m     *model
	term  sink
	drawn []row
	lines []string // of the steps, that are to be printed above the next frame
}

// NewTree returns a view that draws to Options.Messages, which must be a terminal. It calls size before each frame.
func NewTree(o Options, size func() (columns, rows int)) *Tree {
	t := newTree(o, size)
	t.quit, t.done = make(chan struct{}), make(chan struct{})
	go t.draws()
	return t
}

func newTree(o Options, size func() (columns, rows int)) *Tree {
	t := &Tree{o: o, size: size, m: newModel(o.Steps), term: sink{w: o.Messages}}
	fmt.Fprint(&t.term, hideCursor)
	return t
}

// Control sequences of the terminal.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	beginFrame = "\x1b[?2026h" // synchronized output; terminals that don't know it ignore it
	endFrame   = "\x1b[?2026l"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
)

// draws draws frames while the run is in progress, because times and spinners change without events.
func (t *Tree) draws() {
	defer close(t.done)
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.draw()
		case <-t.quit:
			return
		}
	}
}

// Event applies an event. The next frame shows it.
func (t *Tree) Event(e record.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Type == record.StepLog {
		e.Text = t.o.source(&e)
		if e.Part != record.PartState {
			t.lines = append(t.lines, t.o.paint(cyan, e.Step+" |")+" "+t.lineText(e.Text))
		}
	}
	t.m.event(&e)
}

// lineText returns the text of a line for the terminal.
func (t *Tree) lineText(text string) string {
	if !t.o.Color {
		return safe(text, 0)
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, Inline(text))
}

func (t *Tree) draw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	columns, rows := t.size()
	t.redraw(columns, rows, t.m.frame(&t.o, columns, rows, t.o.now()))
}

// redraw replaces the last frame with the lines that wait and a frame. The caller must hold mu.
func (t *Tree) redraw(columns, rows int, frame []row) {
	var b strings.Builder
	b.WriteString(beginFrame)
	if up := t.height(columns); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", min(up, max(rows-1, 1)))
	}
	b.WriteByte('\r')
	for _, text := range t.lines {
		b.WriteString(text)
		b.WriteString(clearLine + "\r\n")
	}
	t.lines = t.lines[:0]
	for _, r := range frame {
		b.WriteString(r.text)
		b.WriteString(clearLine + "\r\n")
	}
	b.WriteString(clearBelow + endFrame)
	_, _ = t.term.Write([]byte(b.String()))
	t.drawn = frame
}

// height returns how many rows of the screen the last frame occupies at the current width: lines that are too long now
// are wrapped.
func (t *Tree) height(columns int) int {
	n := 0
	for _, r := range t.drawn {
		n += max(1, (r.columns+columns-1)/max(columns, 1))
	}
	return n
}

// Close prints the lines that wait, restores the terminal, and prints how the run ended in place of the last frame. The last frame
// stays if the run has not ended.
func (t *Tree) Close() error {
	if t.quit != nil {
		close(t.quit)
		<-t.done
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	columns, rows := t.size()
	var last []row
	if t.m.end == nil {
		last = t.m.frame(&t.o, columns, rows, t.o.now())
	}
	t.redraw(columns, rows, last)
	fmt.Fprint(&t.term, showCursor)
	out := sink{w: t.o.Out}
	t.m.summary(&t.o, &out, &t.term)
	if out.err != nil {
		return out.err
	}
	return t.term.err
}
