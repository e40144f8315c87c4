package local

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

// Events wait for others to be written with them, no longer than this and no more of them.
const (
	journalDelay = 100 * time.Millisecond
	journalBatch = 1000
)

// ErrTakenOver says that another process has written a part of the run's records that was this one's to write.
var ErrTakenOver = errors.New("another process has taken this run over")

// journal writes the run's log of events, behind the work. What it could not write it tries again with what follows:
// the results of attempts hold the truth meanwhile.
type journal struct {
	store store.Store
	run   *record.Run
	taken chan struct{} // closed when the run was taken over

	mu      sync.Mutex
	pending []record.Event
	armed   bool
	over    bool // nothing is written any more

	writing sync.Mutex // held by who writes a segment
	seq     int64      // of the next one
}

func newJournal(s store.Store, run *record.Run, seq int64) *journal {
	return &journal{store: s, run: run, seq: seq, taken: make(chan struct{})}
}

// add notes an event, whose parts don't change any more.
func (j *journal) add(e *record.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = append(j.pending, *e)
	switch {
	case len(j.pending) == journalBatch:
		go func() { _ = j.flush() }()
	case !j.armed:
		j.armed = true
		time.AfterFunc(journalDelay, func() { _ = j.flush() })
	}
}

// flush writes what waits.
func (j *journal) flush() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	events := j.pending
	j.pending, j.armed = nil, false
	over := j.over
	j.mu.Unlock()
	select {
	case <-j.taken:
		return ErrTakenOver
	default:
	}
	if over {
		return nil
	}
	if len(events) == 0 {
		return nil
	}
	data := encodeEvents(events)
	err := j.store.Put(context.Background(), j.run.LogKey(j.seq), bytes.NewReader(data), store.IfAbsent)
	switch {
	case err == nil:
		j.seq++
		return nil
	case errors.Is(err, store.ErrExists):
		j.stop()
		close(j.taken)
		return ErrTakenOver
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = append(events, j.pending...)
	return fmt.Errorf("the run's log can't be written: %w", err)
}

// encodeEvents are the lines of a segment. An event that can't be encoded is left out: it can only hold what the run's
// other records hold too.
func encodeEvents(events []record.Event) []byte {
	var out []byte
	for i := range events {
		if data, err := store.EncodeJSON(&events[i]); err == nil {
			out = append(out, data...)
		}
	}
	return out
}

// stop drops what waits, and all that follows.
func (j *journal) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over, j.pending = true, nil
}

// close ends all writing, now and later.
func (j *journal) close() {
	j.stop()
	j.writing.Lock() // who writes right now
	defer j.writing.Unlock()
}
