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

// maxEvent bounds an event of a coordinator: the run's end holds those of all steps.
const maxEvent = 64 << 20

// maxWords is how many of the last lines of a coordinator are kept that are no events, to be shown where it is lost.
const maxWords = 5

// coordinator reads what a coordinator's pod prints: the run's events, one a line. Its container may be started again in
// the same pod, and then has a new log.
type coordinator struct {
	f     *follower
	pod   string
	wake  chan struct{} // its pod has changed
	state atomic.Pointer[coordinatorState]
}

type coordinatorState struct {
	restarts int32
	running  bool // or has run
	over     bool // its container is not started again
}

// coordinatorChanged takes in the state of a coordinator's pod.
func (f *follower) coordinatorChanged(p *pod) {
	f.noWait(jobWait)
	f.considerPod("", p, kube.ContainerCoordinator)
	state := &coordinatorState{over: p.Status.Phase == "Succeeded" || p.Status.Phase == "Failed" || p.DeletionTimestamp != nil}
	if s := containerStatus(p, kube.ContainerCoordinator); s != nil {
		state.restarts, state.running = s.RestartCount, s.State.Running != nil || s.State.Terminated != nil
	}
	c := f.coordinators[p.UID]
	if c == nil {
		if !state.running {
			return
		}
		if len(f.coordinators) > 0 || state.restarts > 0 {
			f.sync() // the one before may have done more than its log could still tell
		}
		c = &coordinator{f: f, pod: p.Name, wake: make(chan struct{}, 1)}
		c.state.Store(state)
		f.coordinators[p.UID] = c
		f.group.Go(func() { c.run(f.ctx) })
		return
	}
	if before := c.state.Swap(state); before.restarts != state.restarts && state.running {
		f.sync()
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (f *follower) coordinatorGone(p *pod) {
	f.noWait(string(p.UID))
	if c := f.coordinators[p.UID]; c != nil {
		state := *c.state.Load()
		state.over = true
		c.state.Store(&state)
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// run reads the log of each of the container's lives, until there are no more. A log is read from its start again where
// a connection ended too soon: events that were told are not told again.
func (c *coordinator) run(ctx context.Context) {
	for pause := 500 * time.Millisecond; ctx.Err() == nil; {
		state := c.state.Load()
		if state.running {
			n, err := c.read(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
				c.f.call(func() { c.f.blinded("pods/log", err) })
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

// read reads over one connection, and says how many events came.
func (c *coordinator) read(ctx context.Context) (n int, err error) {
	r, err := c.f.c.client.PodLog(ctx, c.pod, kube.ContainerCoordinator, kubeclient.LogOptions{Follow: true})
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return n, eachLine(r, func(text []byte) error {
		var e record.Event
		if json.Unmarshal(text, &e) != nil || e.Type == "" {
			words := string(bytes.TrimSpace(text))
			c.f.call(func() { c.f.heard(words) })
			return nil
		}
		n++
		if e.Version <= record.Version && e.Type != record.StepLog {
			c.f.call(func() { c.f.take(e) })
		}
		return ctx.Err()
	})
}

// heard keeps a line that is no event.
func (f *follower) heard(words string) {
	if words == "" {
		return
	}
	if f.words = append(f.words, words); len(f.words) > maxWords {
		f.words = f.words[1:]
	}
}

// eachLine gives whole lines, of any length up to maxEvent. What has no end is left out.
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
