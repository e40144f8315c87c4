// Package interrupt gives interrupts of the caller, such as Ctrl-C, their meaning for an operation. Where they come from
// is the caller's business: signals for a command, a button for a page, a channel for a test.
package interrupt

import (
	"context"
	"sync"
)

// Interrupt is one interrupt.
type Interrupt int

// The interrupts.
const (
	Stop  Interrupt = iota + 1 // the user wants the operation to stop: Ctrl-C
	Leave                      // the caller's process has to end: SIGTERM, a closed terminal
)

// Watch is an operation that interrupts reach. Call End when the operation has ended.
type Watch struct {
	quit chan struct{}
	done chan struct{}
	once sync.Once
	free context.CancelFunc // releases the operation's context
	n    int                // interrupts so far; owned by the goroutine until done is closed
	stop bool               // the first one was Stop; likewise
}

// watch calls on with each interrupt and its number from 1 on, until it returns false or End is called.
func watch(free context.CancelFunc, in <-chan Interrupt, on func(n int, i Interrupt) bool) *Watch {
	w := &Watch{free: free, quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for {
			select {
			case i := <-in:
				w.stop = w.stop || w.n == 0 && i == Stop
				if w.n++; !on(w.n, i) {
					return
				}
			case <-w.quit:
				return
			}
		}
	}()
	return w
}

// End ends the watch and the operation's context, and reports whether an interrupt has come. It may be called again.
func (w *Watch) End() (interrupted bool) {
	w.once.Do(func() { close(w.quit) })
	<-w.done
	w.free()
	return w.n > 0
}

// Context returns a context that ends with the first interrupt.
func Context(parent context.Context, in <-chan Interrupt) (context.Context, *Watch) {
	ctx, cancel := context.WithCancel(parent)
	return ctx, watch(cancel, in, func(int, Interrupt) bool { cancel(); return false })
}

// Driven is for a run that this process drives: the first interrupt ends the context, and with it the run in good order;
// the second one closes force, which kills the run's processes.
func Driven(parent context.Context, in <-chan Interrupt) (ctx context.Context, force <-chan struct{}, w *Watch) {
	ctx, cancel := context.WithCancel(parent)
	kill := make(chan struct{})
	return ctx, kill, watch(cancel, in, func(n int, _ Interrupt) bool {
		if n == 1 {
			cancel()
			return true
		}
		close(kill)
		return false
	})
}

// Followed is for a run that continues without this process: the first Stop is sent to cancel, which asks for the run to
// be cancelled; a second one, and Leave, end the context, and with it the following alone.
func Followed(parent context.Context, in <-chan Interrupt) (ctx context.Context, cancel <-chan struct{}, w *Watch) {
	ctx, leave := context.WithCancel(parent)
	ask := make(chan struct{}, 1)
	return ctx, ask, watch(leave, in, func(n int, i Interrupt) bool {
		if i == Stop && n == 1 {
			ask <- struct{}{}
			return true
		}
		leave()
		return false
	})
}

// Asked ends the watch and reports whether the first interrupt was Stop.
func (w *Watch) Asked() bool {
	w.End()
	return w.stop
}
