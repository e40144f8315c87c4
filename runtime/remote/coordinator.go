package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// maxEvent is the longest line of a coordinator's log, in bytes. The event of the run's end contains the ends of all steps.
const maxEvent = 64 << 20

// coordinator reads the log of a coordinator's pod, which has the run's events, one a line. The container may restart in
// the same pod, and then has a new log.
type coordinator struct {
	parent *coordinators // only its loop and cluster may be used outside of the loop
	pod    string
	wake   chan struct{} // the state has changed
	state  atomic.Pointer[coordinatorState]
}

type coordinatorState struct {
	restarts int32
	started  bool
	over     bool // the container is not restarted any more
}

// set sets the state, and returns the one before.
func (c *coordinator) set(state *coordinatorState) (before *coordinatorState) {
	before = c.state.Swap(state)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return before
}

// run reads the log of the container, and after each restart its new one. After an error it reads the log from the start:
// the timeline ignores events that it has.
func (c *coordinator) run(ctx context.Context) {
	for pause := 500 * time.Millisecond; ctx.Err() == nil; {
		state := c.state.Load()
		if state.started {
			n, err := c.read(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
				c.parent.loop.call(func() { c.parent.forbidden("pods/log", err) })
				return
			case apierrors.IsNotFound(err):
				return
			case err == nil && state.over:
				return
			}
			if n > 0 {
				pause = 500 * time.Millisecond
			}
		} else if state.over {
			return
		}
		select {
		case <-c.wake:
		case <-time.After(pause):
			pause = min(2*pause, 10*time.Second)
		case <-ctx.Done():
		}
	}
}

// read reads the log over one connection, and returns the number of events.
func (c *coordinator) read(ctx context.Context) (n int, err error) {
	r, err := c.parent.cluster.client.PodLog(ctx, c.pod, kube.ContainerCoordinator, kubeclient.LogOptions{Follow: true})
	if err != nil {
		return 0, err
	}
	defer r.Close()
	err = eachLine(r, func(text []byte) error {
		var e record.Event
		if json.Unmarshal(text, &e) != nil || e.Type == "" {
			other := string(bytes.TrimSpace(text))
			c.parent.loop.call(func() { c.parent.lastLines.add(other) })
			return nil
		}
		n++
		if e.Version <= record.Version && e.Type != record.StepLog {
			c.parent.loop.call(func() { c.parent.timeline.take(e) })
		}
		return ctx.Err()
	})
	return n, err
}

// eachLine calls line with each line. Lines that are longer than maxEvent are split. An incomplete last line is left out.
func eachLine(r io.Reader, line func([]byte) error) error {
	b := bufio.NewReaderSize(r, 64<<10)
	var long []byte
	for {
		piece, err := b.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(long) < maxEvent:
			long = append(long, piece...)
			continue
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
		if len(long) > 0 {
			piece = append(long, piece...)
			long = nil
		}
		if err := line(piece); err != nil {
			return err
		}
	}
}
