package step

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

const (
	segmentSize  = 1 << 20
	segmentEvery = 5 * time.Second
	// storeSlow is how long the process may wait until a segment is stored. Then the rest of the log is spooled.
	storeSlow = 5 * time.Second
	// storeAgain is the time between two tries to store a segment while the process runs, after the store's own retries.
	storeAgain = 15 * time.Second
)

// segmentKeeper stores a segment when it is large or old enough, concurrently with the process.
//
// A store that can't be reached while the process runs costs nothing, however long that lasts: the log is spooled to disk, and
// stored when the store can be reached again. Only what can't be stored after the end of the process is an error.
type segmentKeeper struct {
	ctx    context.Context // of requests while the process runs
	cancel context.CancelFunc
	s      store.Store
	spec   *Spec
	wake   chan struct{} // something was written
	full   chan struct{} // a segment is large enough
	quit   chan struct{} // closed by Close
	done   chan struct{} // closed when flushes has returned

	mu      sync.Mutex
	room    sync.Cond // signaled when there may be room in buf or in the spool
	piece   []byte    // the segment that is stored next; nil: none was taken yet
	spare   []byte    // the buffer of the last segment: two buffers alternate
	spool   spool     // follows piece
	buf     []byte    // follows the spool
	behind  bool      // the store has not taken a segment for storeSlow
	request int       // the number of requests so far
	log     record.Log
	err     error
	ended   bool
}

func newSegmentKeeper(ctx context.Context, s store.Store, spec *Spec) *segmentKeeper {
	k := &segmentKeeper{
		s: s, spec: spec, wake: make(chan struct{}, 1), full: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}), spool: newSpool(filepath.Join(spec.Root, spoolName)),
	}
	k.ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	k.room.L = &k.mu
	go k.flushes()
	return k
}

// Write blocks while the store is more than one segment behind the log, so that memory is bounded. It does not block while the
// store can't be reached.
func (k *segmentKeeper) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for rest := p; len(rest) > 0 && !k.ended; {
		if len(k.buf) >= segmentSize {
			signal(k.full)
			if !k.spill() {
				k.room.Wait()
			}
			continue
		}
		n := min(len(rest), segmentSize-len(k.buf))
		k.buf, rest = append(k.buf, rest[:n]...), rest[n:]
		signal(k.wake)
		if len(k.buf) >= segmentSize {
			signal(k.full)
		}
	}
	return len(p), nil
}

// spill moves a full buffer to the spool. It reports false if the process has to wait instead: the store is working. The
// caller must hold mu.
func (k *segmentKeeper) spill() bool {
	if !k.behind && (k.spool.empty() || k.spool.full()) {
		return false
	}
	k.spool.push(k.buf)
	k.buf = k.buf[:0]
	return true
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// flushes stores the pending bytes every segmentEvery, and when they are enough for a segment. It sleeps while nothing
// is written.
func (k *segmentKeeper) flushes() {
	defer close(k.done)
	for {
		select {
		case <-k.wake:
		case <-k.quit:
			return
		}
		if !k.pause(segmentEvery, k.full) {
			return
		}
		for more := true; more; {
			var err error
			if more, err = k.flush(k.ctx); err != nil && !k.pause(storeAgain, nil) {
				return
			}
		}
	}
}

// pause waits for a while, or until early receives. It reports false if the process has ended.
func (k *segmentKeeper) pause(d time.Duration, early <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-early:
	case <-k.quit:
		return false
	}
	return true
}

// flush stores the next segment. It reports whether another one is ready to be stored. It must not be called concurrently.
func (k *segmentKeeper) flush(ctx context.Context) (more bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.take() {
		return false, nil
	}
	piece, key := k.piece, LogKey(k.spec.AttemptDir, k.log.Segments)
	k.request++
	this := k.request
	slow := time.AfterFunc(storeSlow, func() { k.late(this) })
	k.mu.Unlock()
	err = k.s.Put(ctx, key, bytes.NewReader(piece), store.Replace)
	slow.Stop()
	k.mu.Lock()
	k.behind = err != nil
	k.room.Broadcast()
	if err != nil {
		return true, err
	}
	k.log.Segments++
	k.log.Bytes += int64(len(piece))
	k.piece, k.spare = nil, piece
	return !k.spool.empty() || len(k.buf) >= segmentSize, nil
}

// take makes the oldest bytes the next segment, unless one is left from a request that failed. It reports whether there is one.
// The caller must hold mu.
func (k *segmentKeeper) take() bool {
	switch {
	case k.piece != nil:
	case !k.spool.empty():
		k.piece, k.spare = k.spool.pop(k.spare[:0]), nil
	case len(k.buf) > 0:
		k.piece, k.buf, k.spare = k.buf, k.spare[:0], nil
	}
	k.room.Broadcast()
	return k.piece != nil
}

// late notes that a request takes long.
func (k *segmentKeeper) late(request int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.request == request {
		k.behind = true
		k.room.Broadcast()
	}
}

// Close stores the rest, until ctx ends. A request that waits for the store is ended and sent again, because the store's grace
// begins again at the end of the process: see store.RenewGrace.
func (k *segmentKeeper) Close(ctx context.Context) (record.Log, error) {
	k.mu.Lock()
	ended, behind := k.ended, k.behind
	k.ended = true
	k.room.Broadcast()
	k.mu.Unlock()
	if !ended {
		if behind {
			k.cancel()
		}
		defer context.AfterFunc(ctx, k.cancel)()
		close(k.quit)
		<-k.done
		k.rest(ctx)
		k.cancel()
		k.spool.close()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.log, k.err
}

// rest stores the rest of the log, until the first error.
func (k *segmentKeeper) rest(ctx context.Context) {
	for {
		_, err := k.flush(ctx)
		if err != nil || !k.left() {
			k.err = err
			return
		}
	}
}

// left reports whether some of the log is not stored.
func (k *segmentKeeper) left() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.buf) > 0 || !k.spool.empty()
}
