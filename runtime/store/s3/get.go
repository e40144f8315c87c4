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

// ahead is how many parts of one object are fetched before they are asked for.
const ahead = 4

// tries is how often what is left of a part is asked for again when its connection was cut and no byte came.
const tries = 4

// Get streams an object. A large one comes in parts, of which some are fetched ahead by connections of their own as far
// as memory is left. A connection that is cut is made again. An object that is replaced meanwhile is an error.
//
// After an error of class Transient Read goes on where it was (store.Resumer).
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

// body is an object that is read.
type body struct {
	s      *Store
	ctx    context.Context
	cancel context.CancelFunc
	key    string
	in     sdk.GetObjectInput

	size int64 // -1: not known yet
	part int64
	pos  int64 // what was read

	now     io.ReadCloser // what is read next; nil: it has to be asked for
	buf     []byte        // of the pool, where now reads from one
	barren  int           // how often it was asked for since the last byte
	next    int64         // where the first part begins that was not asked for
	fetches []*fetch      // what was asked for ahead, in order
}

// Resumable is store.Resumer's.
func (*body) Resumable() {}

// ranged asks for bytes of the object, as it was when it was first seen.
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

// open asks for the first part, which tells how large the whole is.
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
		if err := b.ctx.Err(); err != nil {
			return 0, context.Cause(b.ctx)
		}
		if b.pos >= b.size {
			b.leave()
			return 0, io.EOF
		}
		if b.now == nil {
			if err := b.turn(); err != nil {
				return 0, b.s.fault(b.ctx, read, b.key, err)
			}
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
		if err := b.pause(); err != nil {
			return 0, err
		}
	}
}

// turn opens what follows: a part that was fetched ahead, or what is left of the one that was cut.
func (b *body) turn() error {
	for len(b.fetches) > 0 && b.fetches[0].from <= b.pos {
		f := b.fetches[0]
		b.fetches = b.fetches[1:]
		<-f.done
		if f.from == b.pos && f.err == nil {
			b.now, b.buf = io.NopCloser(f.content()), f.buf
			b.fetchAhead()
			return nil
		}
		b.s.pool.put(f.buf) // it is asked for again, and the error told then
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

// leave ends the reading of what is read now.
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

func (b *body) pause() error {
	t := time.NewTimer(100 * time.Millisecond << b.barren)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	}
}

// Close gives back what is held. What was fetched ahead is waited for: it ends with the context.
func (b *body) Close() error {
	b.cancel()
	b.leave()
	for _, f := range b.fetches {
		<-f.done
		b.s.pool.put(f.buf)
	}
	b.fetches = nil
	return nil
}

// fetch is a part that is read into memory.
type fetch struct {
	from int64
	buf  []byte
	n    int
	err  error
	done chan struct{}
}

// fetchAhead asks for parts that follow, while memory is left.
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

func (f *fetch) content() io.Reader { return bytes.NewReader(f.buf[:f.n]) }
