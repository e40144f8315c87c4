package step

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

const (
	segmentSize  = 1 << 20
	segmentEvery = 5 * time.Second
)

// keeper stores the log. After an error it accepts and drops further bytes, because the process must not be blocked by
// a full pipe.
type keeper interface {
	io.Writer
	// Close stores the rest, and returns the location of the log.
	Close(ctx context.Context) (record.Log, error)
}

// fileKeeper writes a file that other processes can follow, and stores it at the end. It creates no file without
// output.
type fileKeeper struct {
	s    store.Store
	spec *Spec
	f    *os.File // nil before the first byte
	n    int64
	err  error
}

func (k *fileKeeper) Write(p []byte) (int, error) {
	if k.f == nil && k.err == nil {
		k.f, k.err = os.OpenFile(k.spec.LogFile(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	}
	if k.err == nil {
		var n int
		n, k.err = k.f.Write(p)
		k.n += int64(n)
	}
	return len(p), nil
}

func (k *fileKeeper) Close(ctx context.Context) (record.Log, error) {
	if k.f != nil {
		if err := k.f.Close(); k.err == nil {
			k.err = err
		}
	}
	if k.n == 0 {
		return record.Log{}, k.err
	}
	if err := store.PutFile(ctx, k.s, LogKey(k.spec.AttemptDir, 0), k.spec.LogFile(), store.Replace); k.err == nil {
		k.err = err
	}
	return record.Log{Segments: 1, Bytes: k.n}, k.err
}

// segmentKeeper stores a segment when it is large or old enough, concurrently with the process.
type segmentKeeper struct {
	ctx  context.Context
	s    store.Store
	spec *Spec
	wake chan struct{} // something was written
	full chan struct{} // a segment is large enough
	quit chan struct{} // closed by Close
	done chan struct{} // closed when flushes has returned

	mu      sync.Mutex
	room    sync.Cond // signaled when a segment was stored
	buf     []byte
	spare   []byte // buffer of the last segment: two buffers alternate
	storing bool
	log     record.Log
	err     error
	ended   bool
}

func newSegmentKeeper(ctx context.Context, s store.Store, spec *Spec) *segmentKeeper {
	k := &segmentKeeper{
		ctx: context.WithoutCancel(ctx), s: s, spec: spec, wake: make(chan struct{}, 1), full: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	k.room.L = &k.mu
	go k.flushes()
	return k
}

// Write blocks while the store is more than one segment behind the log, so that memory is bounded.
func (k *segmentKeeper) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.err == nil && k.storing && len(k.buf) >= segmentSize {
		k.room.Wait()
	}
	if k.err != nil {
		return len(p), nil
	}
	k.buf = append(k.buf, p...)
	signal(k.wake)
	if len(k.buf) >= segmentSize {
		signal(k.full)
	}
	return len(p), nil
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
		t := time.NewTimer(segmentEvery)
		select {
		case <-t.C:
		case <-k.full:
		case <-k.quit:
			t.Stop()
			return
		}
		t.Stop()
		k.flush()
	}
}

// flush stores the pending bytes. It must not be called concurrently.
func (k *segmentKeeper) flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.buf) == 0 || k.err != nil {
		return
	}
	piece, key := k.buf, LogKey(k.spec.AttemptDir, k.log.Segments)
	k.buf, k.storing = k.spare[:0], true
	k.mu.Unlock()
	err := k.s.Put(k.ctx, key, bytes.NewReader(piece), store.Replace)
	k.mu.Lock()
	k.spare, k.storing = piece, false
	k.room.Broadcast()
	if err != nil {
		k.err = err
		return
	}
	k.log.Segments++
	k.log.Bytes += int64(len(piece))
}

func (k *segmentKeeper) Close(context.Context) (record.Log, error) {
	k.mu.Lock()
	ended := k.ended
	k.ended = true
	k.mu.Unlock()
	if !ended {
		close(k.quit)
		<-k.done
		k.flush()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.log, k.err
}

// logger combines the masking of secrets, the stored log and the lines.
type logger struct {
	keep   keeper
	tee    *lines.Marker // nil: none
	lines  *lines.Paced  // nil: none
	masked *mask.Writer  // nil: nothing is masked
	last   byte          // the last byte written
}

func newLogger(keep keeper, d *Deps, secrets *mask.Set) *logger {
	l := &logger{keep: keep, last: '\n'}
	if d.Tee != nil {
		l.tee = lines.NewMarker(d.Tee)
	}
	if d.Line != nil {
		l.lines = lines.NewPaced(func(line lines.Line) error {
			d.Line(line)
			return nil
		})
	}
	l.masked = secrets.Writer(plainWriter{l})
	return l
}

func (l *logger) Write(p []byte) (int, error) {
	if l.masked != nil {
		return l.masked.Write(p)
	}
	return plainWriter{l}.Write(p)
}

// plainWriter is the logger after secrets were masked.
type plainWriter struct{ l *logger }

func (w plainWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	w.l.last = p[len(p)-1]
	if w.l.tee != nil {
		_, _ = w.l.tee.Write(p)
	}
	if w.l.lines != nil {
		_, _ = w.l.lines.Write(p)
	}
	return w.l.keep.Write(p)
}

// flush ends the output of the process.
func (l *logger) flush() {
	if l.masked != nil {
		_ = l.masked.Flush()
	}
}

// note adds a line of pipec to the log.
func (l *logger) note(format string, args ...any) {
	start := ""
	if l.last != '\n' {
		start = "\n"
	}
	_, _ = fmt.Fprintf(l, start+"pipec: "+format+"\n", args...)
}

func (l *logger) close(ctx context.Context) (record.Log, error) {
	l.flush()
	if l.lines != nil {
		_ = l.lines.Flush()
	}
	if l.tee != nil {
		l.tee.Close()
	}
	return l.keep.Close(ctx)
}
