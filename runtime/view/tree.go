package view

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"pipec.dev/pipec/schema/record"
)

// redraw is the shortest time between two frames.
const redraw = time.Second / 12

// Tree shows a run on a terminal as a list of its steps that is redrawn in place.
type Tree struct {
	o    Options
	size func() (columns, rows int)
	quit chan struct{}
	done chan struct{}

	mu    sync.Mutex
	m     *model
	term  sink
	drawn []row
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
	t.m.event(&e)
}

func (t *Tree) draw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	columns, rows := t.size()
	frame := t.m.frame(&t.o, columns, rows, t.o.now())
	var b strings.Builder
	b.WriteString(beginFrame)
	if up := t.height(columns); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", min(up, max(rows-1, 1)))
	}
	b.WriteByte('\r')
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

// Close draws the last frame, restores the terminal, and prints how the run ended.
func (t *Tree) Close() error {
	if t.quit != nil {
		close(t.quit)
		<-t.done
	}
	t.draw()
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprint(&t.term, showCursor)
	out := sink{w: t.o.Out}
	t.m.summary(&t.o, &out, &t.term)
	if out.err != nil {
		return out.err
	}
	return t.term.err
}
