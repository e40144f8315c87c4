package lines

import (
	"sync"
	"time"
)

const (
	// Every is the shortest time between two states of a line.
	Every = time.Second
	// settle is how long the first state of a line waits for the rest of its text.
	settle = 100 * time.Millisecond
)

// pace runs a function soon after it was asked to, and at most once in Every. Its zero value has not run yet. The caller
// of soon and stop must hold mu.
type pace struct {
	mu    *sync.Mutex
	timer *time.Timer // nil: not asked
	last  time.Time
	over  bool
}

// soon runs do, with mu held, unless it is about to run already.
func (p *pace) soon(do func()) {
	if p.timer != nil || p.over {
		return
	}
	wait := max(settle, Every-time.Since(p.last))
	p.timer = time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.timer = nil; p.over {
			return
		}
		p.last = time.Now()
		do()
	})
}

// stop ends it: nothing runs any more.
func (p *pace) stop() {
	p.over = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// Paced is a Splitter that also passes on the states of a line that is overwritten. It calls its function from its
// methods and from a timer, but never concurrently. It is safe for concurrent use, and must be closed.
type Paced struct {
	mu    sync.Mutex
	split Splitter
	pace  pace
	err   error // of a state
}

// NewPaced returns a Paced that calls emit.
func NewPaced(emit func(Line) error) *Paced {
	p := &Paced{split: Splitter{Emit: emit}}
	p.pace.mu = &p.mu
	return p
}

// Write splits b. It returns the first error of the function.
func (p *Paced) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.split.Write(b)
	if p.split.Pending() {
		p.pace.soon(p.state)
	}
	return n, err
}

// Replay splits b, which was seen before: it passes on lines, but no state.
func (p *Paced) Replay(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.split.Write(b)
	p.split.Skip()
	return n, err
}

func (p *Paced) state() {
	if err := p.split.State(); p.err == nil {
		p.err = err
	}
}

// Close passes on no more states.
func (p *Paced) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace.stop()
}

// State passes on the state of the open line now, and then closes p.
func (p *Paced) State() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace.stop()
	return p.split.State()
}

// Flush passes on the last line if it has no newline, and then closes p.
func (p *Paced) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace.stop()
	return p.split.Flush()
}
