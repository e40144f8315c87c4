package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupts turns signals into the end of a context: the first one cancels it, the second one closes force.
type interrupts struct {
	force chan struct{}
	stop  func()
	seen  chan struct{} // closed by the first one
}

// onInterrupt watches for Ctrl-C and SIGTERM until stop is called.
func (a *app) onInterrupt(parent context.Context) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A reader that goes away, as head does, ends what it reads and not the run: without this, SIGPIPE would kill who
	// drives it in the middle. Ignoring the signal would not do, since the steps' processes would inherit that.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	done := make(chan struct{})
	i := &interrupts{force: make(chan struct{}), seen: make(chan struct{})}
	i.stop = func() {
		signal.Stop(signals)
		signal.Stop(pipes)
		close(done)
		cancel()
	}
	go func() {
		select {
		case <-signals:
		case <-done:
			return
		}
		close(i.seen)
		cancel()
		select {
		case <-signals:
			close(i.force)
		case <-done:
		}
	}()
	return ctx, i
}

// interrupted says whether a signal has come.
func (i *interrupts) interrupted() bool {
	select {
	case <-i.seen:
		return true
	default:
		return false
	}
}
