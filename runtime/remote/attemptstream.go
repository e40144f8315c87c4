package remote

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// follow streams the log from the pod, over as many connections as necessary. It reports whether the stream has reached
// the end of the log.
func (a *attemptLog) follow(parent context.Context) (drained bool) {
	ctx, stop := context.WithCancel(parent)
	defer stop()
	go a.linger(ctx, stop)
	a.stream.line = a.streamed
	for pause := firstPause; ; {
		before, last := a.stream.bytes, a.terminated.Load()
		err := a.stream.connect(ctx, a.cluster, a.pod, kube.ContainerMain)
		switch {
		case errors.Is(err, errComplete):
			return true
		case ctx.Err() != nil, errors.Is(err, errGap), errors.Is(err, errLong), apierrors.IsNotFound(err):
			return false
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			a.failed(err, false)
			return false
		case err == nil && (last || a.ended.isSet()):
			return true
		}
		if a.stream.bytes > before {
			pause = firstPause
		}
		select {
		case <-time.After(pause):
		case <-a.ended:
		case <-ctx.Done():
			return false
		}
		pause = min(2*pause, 10*time.Second)
	}
}

// linger stops the stream a while after the attempt's end.
func (a *attemptLog) linger(ctx context.Context, stop context.CancelFunc) {
	defer stop()
	select {
	case <-a.ended:
	case <-ctx.Done():
		return
	}
	if a.complete() {
		return
	}
	rest := lingerUnknown
	if a.result != nil {
		rest = lingerKnown
	}
	select {
	case <-time.After(rest):
	case <-ctx.Done():
	}
}

// streamed shows a line of the stream, or its state, unless it was shown from the store.
func (a *attemptLog) streamed(l lines.Line) error {
	if l.Part == record.PartState {
		if len(a.repeat) > 0 {
			return nil
		}
		return a.emit(l)
	}
	if len(a.repeat) > 0 {
		if maphash.Bytes(seed, l.Text) != a.repeat[0] {
			return errGap // the pod no longer has the start of its log
		}
		a.repeat = a.repeat[1:]
		return nil
	}
	a.stored = nil // the stream is ahead of the store
	a.shown.add(l.Text, l.Size)
	a.bytes.Add(int64(l.Size))
	if err := a.emit(l); err != nil {
		return err
	}
	switch {
	case a.complete():
		return errComplete
	case a.stream.bytes > streamLimit:
		return errLong
	}
	return nil
}
