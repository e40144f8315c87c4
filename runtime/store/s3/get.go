package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"pipec.dev/pipec/runtime/store"
)

// ahead is the number of parts of one object that are fetched ahead.
const ahead = 4

// tries is how often the rest of a part is requested again after its connection was cut before any byte arrived.
const tries = 4

// Get streams an object. A large object is read in parts, and some are fetched ahead by other connections as long as memory
// is left. If a connection is cut, the rest is requested again. An object that is replaced meanwhile is an error.
//
// After an error of class Transient, Read continues where it was (store.ResumableReader).
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	full, err := s.key(key)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &body{s: s, ctx: ctx, cancel: cancel, key: key, in: sdk.GetObjectInput{Bucket: &s.bucket, Key: full}}
	b.size, b.part = -1, store.PartSize(0)
	if err := b.open(); err != nil {
		cancel()
		return nil, err
	}
	return b, nil
}

// body is an object that is being read.
type body struct {
	s      *Store
	ctx    context.Context
	cancel context.CancelFunc
	key    string
	in     sdk.GetObjectInput

	size int64 // -1: not known yet
	part int64
	pos  int64 // what was read

	tee     *tee          // reads the object into a file; nil: it is only passed on
	now     io.ReadCloser // what is read next; nil: it has to be asked for
	buf     []byte        // of the pool, where now reads from one
	held    *bytes.Reader // the unread rest of buf
	barren  int           // how often it was asked for since the last byte
	next    int64         // where the first part begins that was not asked for
	fetches []*fetch      // what was asked for ahead, in order
}

// Resumable implements store.ResumableReader.
func (*body) Resumable() {}

// Tee implements store.TeeReader. Bytes are written to the file as they arrive.
func (b *body) Tee(f store.TeeFile) { b.tee = newTee(b, f) }

// sinkError is an error of the file of Tee, and not of the store.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// ranged requests a range of the object, in the version that was seen first.
func (b *body) ranged(from, to int64) (*sdk.GetObjectOutput, error) {
	in := b.in
	in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", from, to-1))
	out, err := b.s.client.GetObject(b.ctx, &in)
	if err == nil && aws.ToInt64(out.ContentLength) > to-from {
		_ = out.Body.Close()
		err = errRange
	}
	return out, err
}

// open requests the first part. The answer contains the size of the object.
func (b *body) open() error {
	out, err := b.ranged(0, b.part)
	if status(err) == http.StatusRequestedRangeNotSatisfiable { // of nothing there is no part
		in := b.in
		if out, err = b.s.client.GetObject(b.ctx, &in); err == nil && aws.ToInt64(out.ContentLength) > 0 {
			_ = out.Body.Close()
			err = errChanged // it was empty
		}
	}
	if errors.Is(err, errRange) { // ranges are beyond the server
		in := b.in
		out, err = b.s.client.GetObject(b.ctx, &in)
	}
	if err != nil {
		return b.s.fault(b.ctx, read, b.key, err)
	}
	b.size = -1
	if out.ContentLength != nil {
		b.size = *out.ContentLength
	}
	if _, total, ok := strings.Cut(aws.ToString(out.ContentRange), "/"); ok {
		if n, err := strconv.ParseInt(total, 10, 64); err == nil {
			b.size = n
		}
	}
	if b.size < 0 {
		_ = out.Body.Close()
		return b.s.fault(b.ctx, read, b.key, errLength)
	}
	b.in.IfMatch = out.ETag
	b.now, b.next = out.Body, min(max(b.part, aws.ToInt64(out.ContentLength)), b.size)
	return nil
}

func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b.fetchAhead()
	for {
		if err := b.ready(); err != nil {
			return 0, err
		}
		n, err := b.now.Read(p[:min(int64(len(p)), b.size-b.pos)])
		b.pos += int64(n)
		if err != nil { // the part's end, or the connection's: what is missing is asked for again
			b.leave()
		}
		if n > 0 {
			b.barren = 0
			return n, nil
		}
		if err == nil || b.barren == 0 {
			continue
		}
		if b.barren >= tries {
			b.barren = 0
			return 0, b.s.fault(b.ctx, read, b.key, &cutError{err})
		}
		if err := b.pause(b.barren); err != nil {
			return 0, err
		}
	}
}

// WriteTo reads to the end. It doesn't copy parts that were fetched ahead.
func (b *body) WriteTo(w io.Writer) (total int64, err error) {
	if b.tee != nil {
		return b.tee.writeTo(w)
	}
	piece := make([]byte, 64<<10)
	for {
		b.fetchAhead()
		if err := b.ready(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		var n int64
		if b.buf == nil {
			var m int
			if m, err = b.Read(piece); m > 0 {
				_, err = w.Write(piece[:m])
				n = int64(m)
			}
		} else {
			n, err = b.held.WriteTo(w)
			b.pos += n
			b.barren = 0
			b.leave()
		}
		total += n
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// ready makes sure that there is something to read, or returns io.EOF at the end.
func (b *body) ready() error {
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	if b.pos >= b.size {
		b.leave()
		return io.EOF
	}
	if b.now != nil {
		return nil
	}
	if err := b.turn(); err != nil {
		return b.s.fault(b.ctx, read, b.key, err)
	}
	return nil
}

// turn opens what follows: a part that was fetched ahead, or the rest of a part that was cut off.
func (b *body) turn() error {
	for len(b.fetches) > 0 && b.fetches[0].from <= b.pos {
		f := b.fetches[0]
		b.fetches = b.fetches[1:]
		<-f.done
		if f.from == b.pos && f.err == nil {
			b.held, b.buf = bytes.NewReader(f.buf[:f.n]), f.buf
			b.now = io.NopCloser(b.held)
			b.fetchAhead()
			return nil
		}
		b.s.pool.put(f.buf) // the next request repeats it and returns the error
	}
	end := min((b.pos/b.part+1)*b.part, b.size)
	if len(b.fetches) > 0 {
		end = min(end, b.fetches[0].from)
	}
	b.barren++
	out, err := b.ranged(b.pos, end)
	if err != nil {
		b.barren = 0
		return err
	}
	b.now, b.next = out.Body, max(b.next, end)
	return nil
}

// leave closes the current connection or buffer.
func (b *body) leave() {
	if b.now != nil {
		_ = b.now.Close()
		b.now = nil
	}
	if b.buf != nil {
		b.s.pool.put(b.buf)
		b.buf = nil
	}
}

// pause waits before a request is repeated for the n-th time.
func (b *body) pause(n int) error {
	t := time.NewTimer(100 * time.Millisecond << n)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	}
}

// Close releases connections and buffers. It waits for parts that are being fetched, which end with the context.
func (b *body) Close() error {
	b.cancel()
	b.leave()
	for _, f := range b.fetches {
		<-f.done
		b.s.pool.put(f.buf)
	}
	b.fetches = nil
	if b.tee != nil {
		b.tee.close()
	}
	return nil
}

// fetch is a part that is being read into memory.
type fetch struct {
	from int64
	buf  []byte
	n    int
	err  error
	done chan struct{}
}

// fetchAhead requests the following parts while memory is left.
func (b *body) fetchAhead() {
	for b.next < b.size && len(b.fetches) < ahead {
		buf := b.s.pool.try()
		if buf == nil {
			return
		}
		f := &fetch{from: b.next, buf: buf, done: make(chan struct{})}
		to := min(b.next+b.part, b.size)
		b.next = to
		b.fetches = append(b.fetches, f)
		go func() {
			defer close(f.done)
			var out *sdk.GetObjectOutput
			if out, f.err = b.ranged(f.from, to); f.err != nil {
				return
			}
			defer out.Body.Close()
			f.n, f.err = io.ReadFull(out.Body, buf[:to-f.from])
		}()
	}
}
