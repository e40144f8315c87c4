package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"pipec.dev/pipec/internal/app/interrupt"
)

// onSignals returns the interrupts that signals to this process mean, until stop is called.
func onSignals() (in <-chan interrupt.Interrupt, stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// When a reader of stdout ends, as head does, a run must not end with it: without this, SIGPIPE would kill the process
	// that drives the run. Ignoring the signal would not do, because the steps' processes would inherit that.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	out, quit := make(chan interrupt.Interrupt, 2), make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				i := interrupt.Leave
				if s == os.Interrupt {
					i = interrupt.Stop
				}
				select {
				case out <- i:
				case <-quit:
					return
				}
			case <-quit:
				return
			}
		}
	}()
	return out, sync.OnceFunc(func() {
		signal.Stop(signals)
		signal.Stop(pipes)
		close(quit)
	})
}

// interruptible returns a context that ends with the first signal, until stop is called.
func interruptible(parent context.Context) (ctx context.Context, stop func()) {
	in, quit := onSignals()
	ctx, watch := interrupt.Context(parent, in)
	return ctx, func() {
		quit()
		watch.End()
	}
}
