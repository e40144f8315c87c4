// Package journal writes and reads the log of a run's events: segments at keys that are numbered, each written once. A driver
// that finds a segment with the number of its next one learns that another driver has taken over, and stops.
//
// It knows nothing of what the events mean: runtime/engine folds them.
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

// maxBatch is how many events wait at most for others to be written with them.
const maxBatch = 1000

// again is how soon a segment that could not be written is tried again.
const again = time.Second

// ErrTakenOver says that another process has written a part of the run's records that was this one's to write.
var ErrTakenOver = errors.New("another process has taken over this run")

// Journal writes the log, behind the work. What it could not write it tries again, by itself after a while and with what
// follows: the results of attempts hold the truth meanwhile. It is safe for concurrent use.
type Journal struct {
	store store.Store
	run   *record.Run
	delay time.Duration
	taken chan struct{} // closed when the run was taken over

	mu      sync.Mutex
	pending []record.Event
	waiting int // events, those whose lines are there already too
	armed   bool
	over    bool // nothing is written any more

	writing chan struct{} // full while a segment is written; a channel, so that no mutex is held during a store call
	lines   []byte        // of the next one, as far as they are encoded
	seq     int64         // of the next one
}

// New writes the log of a run from segment seq on. Events wait no longer than delay for others to be written with them.
func New(s store.Store, run *record.Run, seq int64, delay time.Duration) *Journal {
	return &Journal{store: s, run: run, seq: seq, delay: delay, taken: make(chan struct{}), writing: make(chan struct{}, 1)}
}

// Taken is closed when another has written a segment that was this one's to write.
func (j *Journal) Taken() <-chan struct{} { return j.taken }

// Add notes an event, whose parts don't change any more.
func (j *Journal) Add(e *record.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = append(j.pending, *e)
	j.waiting++
	if j.waiting == maxBatch {
		go func() { _ = j.Flush() }()
		return
	}
	j.arm(j.delay)
}

// Settle does a part of what Flush will have to do. It may be left out: it is for a caller that is idle.
func (j *Journal) Settle() {
	select {
	case j.writing <- struct{}{}:
		defer j.release()
		j.encode(j.take(false))
	default:
	}
}

// Flush writes what waits. It is ErrTakenOver where that has happened.
func (j *Journal) Flush() error {
	j.writing <- struct{}{}
	defer j.release()
	j.encode(j.take(true))
	j.mu.Lock()
	over := j.over
	j.mu.Unlock()
	select {
	case <-j.taken:
		return ErrTakenOver
	default:
	}
	if over || len(j.lines) == 0 {
		return nil
	}
	err := j.store.Put(context.Background(), j.run.LogKey(j.seq), bytes.NewReader(j.lines), store.IfAbsent)
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
	j.arm(max(j.delay, again)) // nothing may follow: a client of an approval reads its question in the log
	j.mu.Unlock()
	return fmt.Errorf("the run's log can't be written: %w", err)
}

// arm starts the timer that writes the waiting events. The caller must hold the lock.
func (j *Journal) arm(delay time.Duration) {
	if !j.armed && !j.over {
		j.armed = true
		time.AfterFunc(delay, func() { _ = j.Flush() })
	}
}

// take takes the events that wait; with disarm the next event starts the timer again.
func (j *Journal) take(disarm bool) []record.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	events := j.pending
	j.pending = nil
	if disarm {
		j.armed, j.waiting = false, 0
	}
	return events
}

// encode adds to the lines of the next segment. An event that can't be encoded is left out: it can only hold what the
// run's other records hold too.
func (j *Journal) encode(events []record.Event) {
	for i := range events {
		if data, err := store.EncodeJSON(&events[i]); err == nil {
			j.lines = append(j.lines, data...)
		}
	}
}

// Stop drops what waits, and all that follows.
func (j *Journal) Stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over, j.pending = true, nil
}

// Close ends all writing, now and later: it waits for an active write.
func (j *Journal) Close() {
	j.Stop()
	j.writing <- struct{}{}
	defer j.release()
}

// release lets the next goroutine write a segment.
func (j *Journal) release() { <-j.writing }
