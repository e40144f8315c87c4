package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	firstWait   = 500 * time.Millisecond
	longestWait = 15 * time.Second
	forgotten   = 5 * time.Minute // without a failure, since nobody asked: far more than a try takes
	deniedGrace = time.Minute     // how long new rights and new credentials take to be known everywhere
)

// Patient is s, with the world's faults outwaited: what fails with class Transient is tried again for as long as grace,
// what is Denied for a minute of it. The grace is that of an outage: calls that come while the store is away don't begin
// it anew. All other errors come back at once. A local store comes back as it is.
//
// waits is told why, once an outage, and not with nil; it may be nil. It is called by whichever call finds out.
//
// A Put whose answer was lost knows its own object by a nonce (WithNonce), so that ErrExists means another's. What is
// written is read again for each try: a reader that can't seek is kept in a temporary file first.
func Patient(s Store, grace time.Duration, waits func(err error)) Store {
	if _, local := s.(Mover); local || grace <= 0 {
		return s
	}
	return &patient{s: s, grace: grace, waits: waits}
}

type patient struct {
	s     Store
	grace time.Duration
	waits func(error)

	mu   sync.Mutex
	down time.Time // since when nothing has succeeded; zero: the last call has
	last time.Time // when the last call failed
	told bool
}

// ok ends an outage.
func (p *patient) ok() {
	p.mu.Lock()
	p.down, p.told = time.Time{}, false
	p.mu.Unlock()
}

// failed says how much is left to wait, of a call that failed first at the time since.
func (p *patient) failed(err error, since time.Time) time.Duration {
	grace := p.grace
	switch ClassOf(err) {
	case Permanent:
		return 0
	case Denied:
		grace = min(grace, deniedGrace)
	}
	p.mu.Lock()
	now := time.Now()
	if p.down.IsZero() || now.Sub(p.last) > forgotten { // what was is another outage
		p.down, p.told = now, false
	}
	p.last = now
	if p.down.Before(since) {
		since = p.down
	}
	left := grace - now.Sub(since)
	tell := left > 0 && !p.told && p.waits != nil
	p.told = p.told || tell
	p.mu.Unlock()
	if tell {
		p.waits(err)
	}
	return left
}

// patience is that of one call.
type patience struct {
	p     *patient
	since time.Time
	wait  *backoff.ExponentialBackOff
}

// again waits before the next try; it returns the error to give back, nil to try again.
func (c *patience) again(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.wait == nil {
		c.since = time.Now()
		c.wait = backoff.NewExponentialBackOff()
		c.wait.InitialInterval, c.wait.MaxInterval = firstWait, longestWait
		c.wait.Reset()
	}
	left := c.p.failed(err, c.since)
	if left <= 0 {
		if waited := time.Since(c.since); ClassOf(err) != Permanent && waited > time.Second {
			return fmt.Errorf("after %s of trying: %w", waited.Round(time.Second), err)
		}
		return err
	}
	t := time.NewTimer(min(c.wait.NextBackOff(), left))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// do calls f until it succeeds or there is no more to wait for.
func (p *patient) do(ctx context.Context, f func() error) error {
	c := patience{p: p}
	for {
		err := f()
		if err == nil || errors.Is(err, ErrNotExist) || errors.Is(err, ErrExists) { // the store has answered
			p.ok()
			return err
		}
		if err := c.again(ctx, err); err != nil {
			return err
		}
	}
}

func (p *patient) Stat(ctx context.Context, key string) (info Info, err error) {
	err = p.do(ctx, func() (err error) {
		info, err = p.s.Stat(ctx, key)
		return err
	})
	return info, err
}

func (p *patient) Folders(ctx context.Context, prefix string) (names []string, err error) {
	err = p.do(ctx, func() (err error) {
		names, err = FoldersIn(ctx, p.s, prefix)
		return err
	})
	return names, err
}

// List goes on after the last key that it gave.
func (p *patient) List(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last, left := after, false
		c := patience{p: p}
		for {
			var fault error
			for key, err := range p.s.List(ctx, prefix, last) {
				if err != nil {
					fault = err
					break
				}
				c = patience{p: p}
				last = key
				if left = !yield(key, nil); left {
					break
				}
			}
			if left || fault == nil {
				p.ok()
				return
			}
			if err := c.again(ctx, fault); err != nil {
				yield("", err)
				return
			}
		}
	}
}

func (p *patient) Put(ctx context.Context, key string, r io.Reader, mode Mode) error {
	if Nonce(ctx) == "" {
		var b [12]byte
		_, _ = rand.Read(b[:]) // never fails
		ctx = WithNonce(ctx, hex.EncodeToString(b[:]))
	}
	body, done, err := rewindable(ctx, r)
	if err != nil {
		return err
	}
	defer done()
	start, err := body.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	begun := false
	return p.do(ctx, func() error {
		if begun {
			if _, err := body.Seek(start, io.SeekStart); err != nil {
				return err
			}
		}
		begun = true
		return p.s.Put(ctx, key, body, mode)
	})
}

func (p *patient) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	var r io.ReadCloser
	err := p.do(ctx, func() (err error) {
		r, err = p.s.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, ok := r.(Resumer); !ok {
		return r, nil
	}
	waiting := &patientReader{ReadCloser: r, ctx: ctx, p: p}
	if _, ok := r.(Sinker); ok {
		return sinker{waiting}, nil
	}
	return waiting, nil
}

// patientReader outwaits what comes between the bytes of an object.
type patientReader struct {
	io.ReadCloser
	ctx context.Context
	p   *patient
}

// Resumable is Resumer's.
func (r *patientReader) Resumable() {}

// sinker is a patientReader whose store can write to a file.
type sinker struct{ *patientReader }

// Sink is Sinker's.
func (r sinker) Sink(w io.WriterAt) { r.ReadCloser.(Sinker).Sink(w) }

// WriteTo is Read to the end.
func (r sinker) WriteTo(w io.Writer) (total int64, err error) {
	c := patience{p: r.p}
	for {
		n, err := r.ReadCloser.(io.WriterTo).WriteTo(w)
		if total += n; err == nil {
			return total, nil
		}
		if n > 0 {
			c = patience{p: r.p}
		}
		if err := c.again(r.ctx, err); err != nil {
			return total, err
		}
	}
}

func (r *patientReader) Read(b []byte) (int, error) {
	c := patience{p: r.p}
	for {
		n, err := r.ReadCloser.Read(b)
		if n > 0 || err == nil || err == io.EOF {
			if c.wait != nil {
				r.p.ok()
			}
			return n, err
		}
		if err := c.again(r.ctx, err); err != nil {
			return 0, err
		}
	}
}
