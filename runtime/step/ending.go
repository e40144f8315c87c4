package step

import (
	"context"
	"errors"
	"time"
)

// shutdownTime is how long the log and the result may take to be stored during a shutdown: less than a pod has beyond the grace
// of its process, so that the wrapper can still report why it failed. It begins after the outputs were stored, or with a
// shutdown that comes later.
const shutdownTime = 25 * time.Second

// errShutdownTime is why a request to the store was given up during a shutdown.
var errShutdownTime = errors.New("the store could not be reached in the time that a shutdown leaves")

// ending returns a context for storing the log and the result, which are stored even if ctx has ended. During a shutdown it ends
// after shutdownTime.
func ending(ctx context.Context) (context.Context, func()) {
	out, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), ErrShutdown) {
			return
		}
		t := time.NewTimer(shutdownTime)
		defer t.Stop()
		select {
		case <-t.C:
			cancel(errShutdownTime)
		case <-out.Done():
		}
	})
	return out, func() {
		stop()
		cancel(nil)
	}
}
