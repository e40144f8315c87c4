package kube

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"pipec.dev/pipec/schema/panics"
)

// loop is the goroutine that owns the state of a driver. Work that takes time is done by other goroutines, which post functions
// to the loop.
type loop struct {
	ctx     context.Context // the context of all work that the loop starts; set before the loop runs
	inbox   chan func()
	working sync.WaitGroup // the other goroutines
}

func newLoop() *loop { return &loop{inbox: make(chan func(), 256)} }

// post makes the loop call f, unless the loop has ended. It is safe for concurrent use.
func (l *loop) post(f func()) {
	select {
	case l.inbox <- f:
	case <-l.ctx.Done():
	}
}

// async runs work in another goroutine. The loop then calls the function that work returns, unless it is nil.
func (l *loop) async(work func(context.Context) func()) {
	l.working.Go(func() {
		if f := relay(l.ctx, work); f != nil {
			l.post(f)
		}
	})
}

// panicked is a panic of work beside the loop, which is raised again in the loop.
type panicked struct {
	value any
	at    string // where it was raised
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n%s", p.value, p.stack) }

// relay runs work, and returns the function that the loop calls then. If work panics, the loop panics in its place: that ends
// the run as failed, instead of ending this process, and each one that is started in its place.
func relay(ctx context.Context, work func(context.Context) func()) (f func()) {
	defer func() {
		if v := recover(); v != nil {
			p := &panicked{v, panics.At(), debug.Stack()}
			f = func() { panic(p) }
		}
	}()
	return work(ctx)
}

// after makes the loop call f later.
func (l *loop) after(wait time.Duration, f func()) *time.Timer {
	return time.AfterFunc(max(wait, 0), func() { l.post(f) })
}

// drain calls the functions that are in the inbox. Only the loop calls it.
func (l *loop) drain() {
	for range len(l.inbox) {
		(<-l.inbox)()
	}
}
