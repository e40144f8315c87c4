package s3

import (
	"context"
	"errors"
	"io"
	"sync"

	"pipec.dev/pipec/runtime/store"
)

const (
	// teeParts is how many parts of one object are read into a file at the same time.
	teeParts = 8
	// teeMost is how many parts of all objects are read into files at the same time, beyond one of each object.
	teeMost = 32
	// teePiece is how much is read from a connection before it is written to the file, and from the file before it is passed on.
	teePiece = 256 << 10
)

// tee reads an object into a file, and passes the content on in order. Parts arrive in any order: a slow connection delays no
// other one, and a part needs no memory, because what is passed on is read from the file.
type tee struct {
	b    *body
	file store.TeeFile

	mu       sync.Mutex
	changed  sync.Cond       // of the following fields
	first    io.ReadCloser   // the first part, which is being read already; nil: it was taken
	missing  []span          // parts that have failed, without what has arrived of them
	next     int64           // where the first part begins that was not requested
	arrived  map[int64]int64 // what is in the file beyond frontier: from and to
	frontier int64           // everything before it is in the file
	workers  int
	err      error // of the first part that has failed; no further parts are requested then
}

// span is a part of an object.
type span struct{ from, to int64 }

func newTee(b *body, file store.TeeFile) *tee {
	t := &tee{b: b, file: file, arrived: map[int64]int64{}}
	t.changed.L = &t.mu
	return t
}

// writeTo passes the content on to w. If it returns a fault of class Transient, it continues there when it is called again.
func (t *tee) writeTo(w io.Writer) (total int64, err error) {
	t.begin()
	buf := t.piece()
	for t.b.pos < t.b.size {
		to, err := t.await()
		if err != nil {
			return total, err
		}
		for t.b.pos < to {
			n, err := t.file.ReadAt(buf[:min(int64(len(buf)), to-t.b.pos)], t.b.pos)
			if n == 0 {
				return total, err
			}
			if _, err := w.Write(buf[:n]); err != nil {
				return total, err
			}
			t.b.pos += int64(n)
			total += int64(n)
		}
	}
	return total, nil
}

// piece returns a buffer for a piece of the object.
func (t *tee) piece() []byte { return make([]byte, min(teePiece, t.b.size)) }

// begin starts to read.
func (t *tee) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == nil && t.b.now != nil {
		t.first, t.next = t.b.now, t.b.next
		t.b.now = nil
	}
	t.err = nil
	t.grow()
}

// await waits until the file contains more, and returns how much.
func (t *tee) await() (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.frontier == t.b.pos && t.workers > 0 {
		t.changed.Wait()
	}
	if t.frontier > t.b.pos {
		return t.frontier, nil
	}
	if t.b.ctx.Err() != nil {
		return 0, context.Cause(t.b.ctx)
	}
	var own *sinkError
	if errors.As(t.err, &own) {
		return 0, own.err
	}
	return 0, t.b.s.fault(t.b.ctx, read, t.b.key, t.err)
}

// grow starts workers while there is something to read. The caller must hold mu.
func (t *tee) grow() {
	for t.err == nil && t.workers < teeParts && (t.first != nil || len(t.missing) > 0 || t.next < t.b.size) {
		if t.workers > 0 && !t.b.s.tees.TryAcquire(1) {
			return
		}
		extra := t.workers > 0
		part, now := t.take()
		t.workers++
		go t.work(part, now, extra)
	}
}

// take returns the next part to read, and its connection if it has one. The caller must hold mu.
func (t *tee) take() (part span, now io.ReadCloser) {
	switch {
	case t.first != nil:
		part, now, t.first = span{0, t.next}, t.first, nil
	case len(t.missing) > 0:
		part, t.missing = t.missing[0], t.missing[1:]
	default:
		part = span{t.next, min(t.next+t.b.part, t.b.size)}
		t.next = part.to
	}
	return part, now
}

// work reads a part, and then others.
func (t *tee) work(part span, now io.ReadCloser, extra bool) {
	buf := t.piece()
	for {
		n, err := t.read(part, now, buf)
		t.mu.Lock()
		t.took(part, n, err)
		if t.err != nil || len(t.missing) == 0 && t.next == t.b.size {
			break
		}
		part, now = t.take()
		t.grow()
		t.mu.Unlock()
	}
	t.workers--
	t.changed.Broadcast()
	t.mu.Unlock()
	if extra {
		t.b.s.tees.Release(1)
	}
}

// took notes that the first n bytes of a part are in the file. The caller must hold mu.
func (t *tee) took(part span, n int64, err error) {
	if n > 0 {
		t.arrived[part.from] = part.from + n
	}
	for to, ok := t.arrived[t.frontier]; ok; to, ok = t.arrived[t.frontier] {
		delete(t.arrived, t.frontier)
		t.frontier = to
	}
	if err != nil {
		t.missing = append(t.missing, span{part.from + n, part.to})
		if t.err == nil {
			t.err = err
		}
	}
	t.changed.Broadcast()
}

// read reads a part into the file. If its connection is cut, the rest is requested again. now is the connection that the part is
// read from; nil: it is requested.
func (t *tee) read(part span, now io.ReadCloser, buf []byte) (n int64, err error) {
	for barren := 0; ; barren++ {
		if now == nil {
			out, err := t.b.ranged(part.from+n, part.to)
			if err != nil {
				return n, err
			}
			now = out.Body
		}
		m, err := t.copy(now, span{part.from + n, part.to}, buf)
		_ = now.Close()
		now = nil
		if n += m; part.from+n == part.to {
			return n, nil
		}
		var own *sinkError
		if m > 0 {
			barren = 0
		}
		switch {
		case errors.As(err, &own):
			return n, own
		case barren >= tries:
			return n, &cutError{err}
		case barren > 0:
			if err := t.b.pause(barren); err != nil {
				return n, err
			}
		}
	}
}

// copy copies a part to the file until the part or the connection ends.
func (t *tee) copy(r io.Reader, part span, buf []byte) (n int64, err error) {
	for at := part.from; at < part.to && err == nil; at = part.from + n {
		var m int
		m, err = io.ReadFull(r, buf[:min(int64(len(buf)), part.to-at)])
		if m > 0 {
			if _, err := t.file.WriteAt(buf[:m], at); err != nil {
				return n, &sinkError{err}
			}
			n += int64(m)
		}
	}
	return n, err
}

// close waits until nothing is read any more. The context of the object has ended.
func (t *tee) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.workers > 0 {
		t.changed.Wait()
	}
	if t.first != nil {
		_ = t.first.Close()
	}
}
