package kube

import (
	"context"
	"sync"
	"time"
)

// loop is the goroutine that owns the state of a driver. Other goroutines do what takes time, and post what follows from it.
type loop struct {
	ctx     context.Context // of all that the loop has started; set before the loop runs
	inbox   chan func()
	working sync.WaitGroup // goroutines beside the loop
}

func newLoop() *loop { return &loop{inbox: make(chan func(), 256)} }

// post has the loop call f, unless the loop has ended. It is safe for concurrent use.
func (l *loop) post(f func()) {
	select {
	case l.inbox <- f:
	case <-l.ctx.Done():
	}
}

// async runs work beside the loop, and has the loop call the function that it returns; nil: none.
func (l *loop) async(work func(context.Context) func()) {
	l.working.Go(func() {
		if f := work(l.ctx); f != nil {
			l.post(f)
		}
	})
}

// after has the loop call f later.
func (l *loop) after(wait time.Duration, f func()) *time.Timer {
	return time.AfterFunc(max(wait, 0), func() { l.post(f) })
}

// drain calls what is in the inbox. Only the loop calls it.
func (l *loop) drain() {
	for range len(l.inbox) {
		(<-l.inbox)()
	}
}
