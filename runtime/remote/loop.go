package remote

import (
	"context"
	"sync"
	"time"
)

// loop passes functions from other goroutines to the one goroutine that owns the state of a followed run. All methods are
// safe for concurrent use.
type loop struct {
	ctx        context.Context
	calls      chan func()
	background sync.WaitGroup
}

func newLoop(ctx context.Context) *loop { return &loop{ctx: ctx, calls: make(chan func(), 64)} }

// call passes fn to the goroutine of the loop. It returns when fn is queued, or when ctx ends.
func (l *loop) call(fn func()) {
	select {
	case l.calls <- fn:
	case <-l.ctx.Done():
	}
}

// spawn runs fn in another goroutine, which must end when ctx does.
func (l *loop) spawn(fn func()) { l.background.Go(fn) }

// sleep waits for d. It reports whether ctx is still active.
func (l *loop) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-l.ctx.Done():
		return false
	}
}
