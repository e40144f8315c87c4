package remote

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

const (
	// streamLimit is how many bytes of a log are streamed from its pod. A node rotates files of 10 MiB, and may lose lines
	// then. A process that writes so much also fills segments quickly, so that the store is hardly behind the stream.
	streamLimit = 8 << 20
	// storeEvery is how often new segments are read from the store. The wrapper writes them as often.
	storeEvery = 5 * time.Second
	// lingerKnown and lingerUnknown are how long a stream may continue after the attempt's end before the rest is read from
	// the store: if its result shows that bytes are missing, and if there is no result.
	lingerKnown   = 300 * time.Millisecond
	lingerUnknown = 3 * time.Second
	// firstPause is the pause before a failed request is repeated for the first time.
	firstPause = 500 * time.Millisecond
)

var (
	errComplete = errors.New("the log was shown to its end")
	errLong     = errors.New("the log is too long to be streamed")
)

// attemptLog shows the log of one attempt from its first line to its last: from the attempt's pod as far as possible, and
// the rest from the store. Its fields are owned by the goroutine of run, except the signals and atomics.
type attemptLog struct {
	cluster *Client
	store   store.Store
	dir     string                       // of the attempt's records
	emit    func(lines.Line) error       // shows a line; it blocks until there is room
	failed  func(err error, unread bool) // unread: the end of the log could not be read at all

	pod        string // "": no pod is known
	late       bool   // the attempt may have written lines before it was found
	tail       *int64 // only so many last lines are shown of what was written before it was found; nil: all
	show       signal // lines may be shown
	terminated atomic.Bool
	ended      signal
	result     *record.Result // set before ended; nil: there is none

	stream podStream
	shown  shownLines
	bytes  atomic.Int64 // of shown
	repeat []uint64     // hashes of the lines from the store that the stream repeats
	stored *storedLog
}

func newAttemptLog(c *Client, s store.Store, dir, pod string, late bool) *attemptLog {
	return &attemptLog{cluster: c, store: s, dir: dir, pod: pod, late: late, show: make(signal), ended: make(signal)}
}

// signal is a channel that is closed once. Only one goroutine may call set.
type signal chan struct{}

func (s signal) set() {
	if !s.isSet() {
		close(s)
	}
}

func (s signal) isSet() bool {
	select {
	case <-s:
		return true
	default:
		return false
	}
}

// close notes that the attempt has ended. Only the first call has an effect.
func (a *attemptLog) close(result *record.Result) {
	if !a.ended.isSet() {
		a.result = result
		a.ended.set()
	}
}

// complete reports whether all lines are shown that the attempt has written according to its result.
func (a *attemptLog) complete() bool {
	return a.ended.isSet() && a.result != nil && a.bytes.Load() >= a.result.Log.Bytes
}

// run shows the log until the attempt has ended and all its lines are shown.
func (a *attemptLog) run(ctx context.Context) {
	select {
	case <-a.show:
	case <-ctx.Done():
		return
	}
	drained := false
	a.stream.tail = a.tail
	if a.pod != "" && !a.complete() && a.showStored(ctx) {
		drained = a.follow(ctx)
	}
	if drained {
		select {
		case <-a.ended:
		case <-ctx.Done():
		}
	}
	if a.complete() || ctx.Err() != nil || a.tail != nil && (drained || a.stream.bytes > 0) {
		return
	}
	a.showRest(ctx)
}
