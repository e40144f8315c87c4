// Package journal writes and reads the log of a run's events: segments at keys that are numbered, each written once. A driver
// that finds a segment with the number of its next one learns that another driver has taken over, and stops.
//
// It does not interpret events: runtime/engine folds them.
package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// maxBatch is how many events wait at most to be written together.
const maxBatch = 1000

// maxSegment is the size from which a segment gets no further events, in bytes: an event may have values of megabytes, and
// readers read several segments at the same time.
const maxSegment = 1 << 20

// again is how soon a segment that could not be written is written again.
const again = time.Second

// ErrTakenOver means that another process has written to the run's records: it drives the run now.
var ErrTakenOver = errors.New("another process has taken over this run")

// Journal writes the log, behind the work. It tries again to write what it could not write, after a while and together with
// what follows: meanwhile the results of attempts contain the facts. It is safe for concurrent use.
type Journal struct {
	store store.Store
	run   *record.Run
	delay time.Duration
	taken chan struct{} // closed when another process has taken the run over

	ctx   context.Context // of the writes; ends a while after Close
	abort context.CancelFunc

	mu      sync.Mutex
	pending []record.Event
	size    int         // of pending, about, in bytes
	timer   *time.Timer // writes what waits; nil: it is not running
	over    bool        // stopped: nothing is written any more
	since   time.Time   // when the oldest of pending was added; zero: there is none
	encoded time.Time   // the same for the events that were taken from pending

	writing chan struct{} // full while a segment is written; a channel, so that no mutex is held during a store call
	lines   []byte        // of the next segment, as far as they are encoded
	seq     int64         // of the next segment
}

// New returns a journal that writes the log of a run from segment seq on. Events wait at most delay to be written together
// with others.
func New(s store.Store, run *record.Run, seq int64, delay time.Duration) *Journal {
	j := &Journal{store: s, run: run, seq: seq, delay: delay, taken: make(chan struct{}), writing: make(chan struct{}, 1)}
	j.ctx, j.abort = context.WithCancel(context.Background())
	return j
}

// Taken returns a channel that is closed when another process has written the next segment.
func (j *Journal) Taken() <-chan struct{} { return j.taken }

// Add adds an event. The caller must not change what it refers to any more.
func (j *Journal) Add(e *record.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = append(j.pending, *e)
	if j.since.IsZero() {
		j.since = time.Now()
	}
	before := j.size
	j.size += sizeOf(e)
	if len(j.pending) == maxBatch || before < maxSegment && j.size >= maxSegment {
		go func() { _ = j.Flush() }()
		return
	}
	j.arm(j.delay)
}

// Flush writes what waits. It is ErrTakenOver where that has happened.
func (j *Journal) Flush() error { return j.FlushContext(context.Background()) }

// FlushContext is Flush for a caller that waits no longer than ctx. A write that was begun continues all the same.
func (j *Journal) FlushContext(ctx context.Context) error {
	select {
	case j.writing <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("the run's log is not written yet: %w", context.Cause(ctx))
	}
	if ctx.Done() == nil {
		defer j.release()
		return j.write()
	}
	done := make(chan error, 1)
	go func() {
		defer j.release()
		done <- j.write()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the run's log is not written yet: %w", context.Cause(ctx))
	}
}

// write writes the events that wait, in one segment or several. The caller must own writing.
func (j *Journal) write() error {
	for events := j.take(); ; {
		events = j.encode(events)
		select {
		case <-j.taken:
			return ErrTakenOver
		default:
		}
		if j.stopped() {
			return nil
		}
		if err := j.segment(); err != nil {
			j.putBack(events)
			return err
		}
		if len(events) == 0 {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.encoded = time.Time{}
			return nil
		}
	}
}

func (j *Journal) stopped() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.over
}

// segment writes the next segment, unless no event waits for it. The caller must own writing.
func (j *Journal) segment() error {
	if len(j.lines) == 0 {
		return nil
	}
	err := j.store.Put(j.ctx, j.run.LogKey(j.seq), bytes.NewReader(j.lines), store.IfAbsent)
	switch {
	case err == nil:
		j.seq, j.lines = j.seq+1, nil
		return nil
	case errors.Is(err, store.ErrExists):
		j.Stop()
		close(j.taken)
		return ErrTakenOver
	}
	j.mu.Lock()
	j.arm(max(j.delay, again)) // no event may follow, and a user who answers an approval reads the question in the log
	j.mu.Unlock()
	return fmt.Errorf("the run's log can't be written: %w", err)
}

// Behind returns when the oldest event was added that is not written yet; zero: all are written.
func (j *Journal) Behind() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.encoded.IsZero() {
		return j.encoded
	}
	return j.since
}

// arm starts the timer that writes the waiting events. The caller must hold the lock.
func (j *Journal) arm(delay time.Duration) {
	if j.timer == nil && !j.over {
		j.timer = time.AfterFunc(delay, func() { _ = j.Flush() })
	}
}

// take takes the events that wait, and stops the timer: the next event, or a write that fails, starts it again. Without that,
// each caller of Flush would leave one more timer running while the store can't be reached.
func (j *Journal) take() []record.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	events := j.pending
	j.pending, j.size = nil, 0
	if j.timer != nil {
		j.timer.Stop()
		j.timer = nil
	}
	if j.encoded.IsZero() {
		j.encoded = j.since
	}
	j.since = time.Time{}
	return events
}

// putBack returns events that were taken and not encoded.
func (j *Journal) putBack(events []record.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over || len(events) == 0 {
		return
	}
	j.pending = append(events, j.pending...)
	for i := range events {
		j.size += sizeOf(&events[i])
	}
}

// sizeOf returns the size of an event, about, in bytes.
func sizeOf(e *record.Event) int {
	size := 512
	if e.Result != nil {
		for i := range e.Result.Outputs {
			size += len(e.Result.Outputs[i].Value)
		}
	}
	return size
}

// encode adds events to the lines of the next segment until it is large enough, and returns the others. It leaves out an event
// that can't be encoded: the run's other records contain the same facts. The caller must own writing.
func (j *Journal) encode(events []record.Event) []record.Event {
	for i := range events {
		if len(j.lines) >= maxSegment {
			return events[i:]
		}
		if data, err := store.EncodeJSON(&events[i]); err == nil {
			j.lines = append(j.lines, data...)
		}
	}
	return nil
}

// Stop drops the events that wait, and all that follow.
func (j *Journal) Stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over, j.pending = true, nil
}

// closeWait is how long Close waits for an active write before it ends it.
const closeWait = 5 * time.Second

// Close ends all writing, now and later. An active write has a few seconds to finish.
func (j *Journal) Close() {
	j.Stop()
	t := time.AfterFunc(closeWait, j.abort)
	defer t.Stop()
	j.writing <- struct{}{}
	j.abort()
	j.release()
}

// release lets the next goroutine write a segment.
func (j *Journal) release() { <-j.writing }
