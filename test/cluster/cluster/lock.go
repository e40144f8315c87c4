package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/test/cluster/place"
)

// lock waits until nobody else starts or stops the cluster. The kernel takes the lock back when its holder ends, however
// it ends.
func lock(ctx context.Context, out io.Writer) (unlock func(), err error) {
	f, err := os.OpenFile(place.Lock, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for said := false; ; said = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", place.Lock, err)
		}
		if !said {
			fmt.Fprintln(out, "waiting for another that starts or stops the test cluster")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
