package step

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSimulated holds a simulated process to the rules of a real one.
func TestSimulated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		run    time.Duration // how long it runs
		obeys  bool          // it exits with 3 when it is asked to end
		cancel time.Duration // when the run is cancelled; 0: it isn't
		want   exit
		after  time.Duration
	}{
		{name: "exits", run: time.Second, want: exit{code: 7}, after: time.Second},
		{name: "times out", run: time.Hour, obeys: true, want: exit{code: 3, timedOut: true}, after: time.Minute},
		{name: "is killed", run: time.Hour, want: exit{code: -1, signal: syscall.SIGKILL, timedOut: true}, after: time.Minute + 5*time.Second},
		{name: "is cancelled", run: time.Hour, obeys: true, cancel: time.Second, want: exit{code: 3, stopped: context.Canceled}, after: time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := process{timeout: time.Minute, grace: 5 * time.Second, simulate: func(ctx context.Context, command Command) Exit {
					asked := ctx.Done()
					if !c.obeys {
						asked = nil
					}
					select {
					case <-asked:
						return Exit{Code: 3}
					case <-command.Killed:
						return Exit{Code: 4} // which is too late
					case <-time.After(c.run):
						return Exit{Code: 7}
					}
				}}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cancel > 0 {
					time.AfterFunc(c.cancel, cancel)
				}
				begun := time.Now()
				if got := p.simulated(ctx); got != c.want || time.Since(begun) != c.after {
					t.Errorf("it ended as %+v after %s, want %+v after %s", got, time.Since(begun), c.want, c.after)
				}
			})
		})
	}
}
