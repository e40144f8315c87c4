package web

import (
	"context"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// fresh is how long a reader is used. A reader of a cluster's runs queries once which of them are driven.
const fresh = 5 * time.Second

// readers shares a reader of a stack's records among requests, and replaces it when it is old.
type readers struct {
	open func(context.Context) (*runs.Reader, error)

	mu  sync.Mutex
	now *shared // nil: there is none
}

// shared is a reader, and how many use it.
type shared struct {
	reader *runs.Reader
	opened time.Time
	users  int  // guarded by the mutex of readers
	old    bool // it is closed when the last user is done; likewise
}

// get returns a reader. The caller calls done when it does not use the reader any more.
func (r *readers) get(ctx context.Context) (reader *runs.Reader, done func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil && time.Since(r.now.opened) > fresh {
		r.retire()
	}
	if r.now == nil {
		reader, err := r.open(context.WithoutCancel(ctx)) // others use it too
		if err != nil {
			return nil, nil, err
		}
		r.now = &shared{reader: reader, opened: time.Now()}
	}
	s := r.now
	s.users++
	return s.reader, sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if s.users--; s.users == 0 && s.old {
			_ = s.reader.Close()
		}
	}), nil
}

// retire closes the reader when its last user is done. The caller must hold mu.
func (r *readers) retire() {
	if r.now.old = true; r.now.users == 0 {
		_ = r.now.reader.Close()
	}
	r.now = nil
}

func (r *readers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil {
		r.retire()
	}
}

// known keeps the summaries of runs that have ended, which don't change, so that they are read once.
type known struct {
	mu sync.Mutex
	of map[[2]string]*runs.Summary
}

// maxKnown is how many summaries are kept.
const maxKnown = 50000

func (k *known) get(run *record.Run) *runs.Summary {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.of[[2]string{run.Pipeline, run.Name}]; s != nil && s.Run.CreatedAt.Equal(run.CreatedAt) { // a name can be used again
		return s
	}
	return nil
}

func (k *known) add(s *runs.Summary) {
	if !s.Status.Ended() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil || len(k.of) >= maxKnown {
		k.of = map[[2]string]*runs.Summary{}
	}
	k.of[[2]string{s.Run.Pipeline, s.Run.Name}] = s
}
