package remote

import (
	"context"
	"errors"
	"hash/maphash"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

const (
	// streamLimit is how much of a log is streamed from its pod. A node puts files of 10 MiB away, and loses lines when it
	// does; who writes as much also fills segments quickly, so that the store is as good from there on.
	streamLimit = 8 << 20
	// storeEvery is how often the store is looked at for new segments, where a stream won't do: the wrapper's own pace.
	storeEvery = 5 * time.Second
	// Once an attempt has ended, its stream has this long to bring the rest before the store is read: what is known to be
	// missing, or an attempt without a result.
	lingerKnown   = 300 * time.Millisecond
	lingerUnknown = 3 * time.Second
)

var (
	errComplete = errors.New("the log was shown to its end")
	errLong     = errors.New("the log is too long to be streamed")
)

// attemptLog shows the log of one attempt, from its first line to its last: from its pod while it runs, as far as that
// goes, and the rest from the store.
type attemptLog struct {
	cluster *Client
	store   store.Store
	dir     string                       // of the attempt's records
	emit    func(text string) error      // shows a line; it waits while the one before is shown
	trouble func(err error, unread bool) // unread: the end of the log could not be read at all

	pod        string // "": none was seen
	late       bool   // it may have written for a while when it was found
	gate       chan struct{}
	terminated atomic.Bool // its container has ended

	over   chan struct{}
	result *record.Result // set before over is closed; nil: it left none

	stream  stream
	shown   shown
	bytes   atomic.Int64 // of shown
	check   []uint64     // lines that came from the store and come again from the stream
	stored  *storedLog
	lasting time.Duration // between two tries
}

func newAttemptLog(c *Client, s store.Store, dir, pod string, late bool) *attemptLog {
	return &attemptLog{cluster: c, store: s, dir: dir, pod: pod, late: late, gate: make(chan struct{}), over: make(chan struct{}), lasting: 500 * time.Millisecond}
}

// ended says that the attempt has. It counts once.
func (a *attemptLog) ended(result *record.Result) {
	select {
	case <-a.over:
	default:
		a.result = result
		close(a.over)
	}
}

func (a *attemptLog) open() {
	select {
	case <-a.gate:
	default:
		close(a.gate)
	}
}

func (a *attemptLog) isOver() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

// complete says whether all is shown that the attempt is known to have written.
func (a *attemptLog) complete() bool {
	return a.isOver() && a.result != nil && a.bytes.Load() >= a.result.Log.Bytes
}

// run shows the log, until the attempt has ended and all is shown.
func (a *attemptLog) run(ctx context.Context) {
	select {
	case <-a.gate:
	case <-ctx.Done():
		return
	}
	drained := false
	if a.pod != "" && !a.complete() && a.prefix(ctx) {
		drained = a.follow(ctx)
	}
	if drained {
		select {
		case <-a.over:
		case <-ctx.Done():
		}
	}
	if a.complete() || ctx.Err() != nil {
		return
	}
	a.fromStore(ctx)
}

// prefix shows what was stored before an attempt was found that may have written for a while: its pod may not have the
// start of its log any more. It says whether the stream is worth while.
func (a *attemptLog) prefix(ctx context.Context) bool {
	if !a.late {
		return true
	}
	a.stored = newStoredLog(a.store, a.dir, &shown{}, func(text []byte, size int) error {
		if int64(len(a.check))*overhead+a.bytes.Add(int64(size)) < streamLimit {
			a.check = append(a.check, maphash.Bytes(seed, text))
		}
		return a.emit(string(text))
	})
	if err := a.stored.pull(ctx); err != nil {
		a.trouble(err, false)
		return false
	}
	a.shown = shown{hashes: a.check, bytes: a.bytes.Load()}
	return a.bytes.Load()+int64(len(a.check))*overhead < streamLimit
}

// follow streams from the pod, over as many connections as it takes. It says whether the stream came to the log's end.
func (a *attemptLog) follow(parent context.Context) (drained bool) {
	ctx, stop := context.WithCancel(parent)
	defer stop()
	go a.linger(ctx, stop)
	a.stream.line = a.streamed
	for wait := a.lasting; ; {
		before, last := a.stream.bytes, a.terminated.Load()
		err := a.stream.connect(ctx, a.cluster, a.pod, kube.ContainerMain)
		switch {
		case errors.Is(err, errComplete):
			return true
		case ctx.Err() != nil, errors.Is(err, errGap), errors.Is(err, errLong), apierrors.IsNotFound(err):
			return false
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			a.trouble(err, false)
			return false
		case err == nil && (last || a.isOver()):
			return true
		}
		if a.stream.bytes > before {
			wait = a.lasting
		}
		select {
		case <-time.After(wait):
		case <-a.over:
		case <-ctx.Done():
			return false
		}
		wait = min(2*wait, 10*time.Second)
	}
}

// linger ends the stream when it won't bring more, a while after the attempt's end.
func (a *attemptLog) linger(ctx context.Context, stop context.CancelFunc) {
	defer stop()
	select {
	case <-a.over:
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

// streamed takes a line of the stream.
func (a *attemptLog) streamed(text []byte, size int) error {
	if len(a.check) > 0 {
		if maphash.Bytes(seed, text) != a.check[0] {
			return errGap // the pod's log doesn't start where the stored one does
		}
		a.check = a.check[1:]
		return nil
	}
	a.stored = nil // the stream is ahead
	a.shown.add(text, size)
	a.bytes.Add(int64(size))
	if err := a.emit(string(text)); err != nil {
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

// fromStore shows what the stream has not brought: as it is stored, until the attempt has ended.
func (a *attemptLog) fromStore(ctx context.Context) {
	if a.stored == nil {
		a.stored = newStoredLog(a.store, a.dir, &a.shown, func(text []byte, _ int) error { return a.emit(string(text)) })
	}
	a.shown.hashes, a.check = nil, nil
	for !a.isOver() {
		if err := a.stored.pull(ctx); err != nil {
			a.trouble(err, false)
		}
		select {
		case <-time.After(storeEvery):
		case <-a.over:
		case <-ctx.Done():
			return
		}
	}
	for try := range 4 {
		err := a.stored.finish(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if try == 3 {
			a.trouble(err, true)
			return
		}
		select {
		case <-time.After(a.lasting << try):
		case <-ctx.Done():
			return
		}
	}
}
