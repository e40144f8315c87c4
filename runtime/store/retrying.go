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
	forgotten   = 5 * time.Minute // without a failure; a new one begins another outage
	deniedGrace = time.Minute     // how long new rights and credentials take to be known everywhere
)

// Retrying wraps a store so that calls that fail with class Transient are retried for as long as grace, and those that are
// Denied for a minute of it. The grace is that of an outage: calls that are made while the store can't be reached share
// it. All other errors are returned at once. A local store is returned unchanged.
//
// An outage that begins while its effects don't matter, such as during a step's process, must not use up the grace: see RenewGrace.
//
// waits is called with the error once an outage, by the call that finds it; it may be nil.
//
// A Put whose answer was lost recognizes its own object by a nonce (WithNonce), so that ErrExists means that another
// writer was first. Content is read again for each try: if a reader can't seek, it is copied to a temporary file first.
func Retrying(s Store, grace time.Duration, waits func(err error)) Store {
	if isLocal(s) || grace <= 0 {
		return s
	}
	return &retrying{s: s, grace: grace, waits: waits}
}

// WithoutJitter returns a store of Retrying whose waits between tries are not random, for a simulation that must be
// repeatable. It returns any other store unchanged.
func WithoutJitter(s Store) Store {
	if r, ok := s.(*retrying); ok {
		return &retrying{s: r.s, grace: r.grace, waits: r.waits, steady: true}
	}
	return s
}

// RenewGrace makes the grace of a store of Retrying begin again if the store can't be reached. It does nothing to any other store.
func RenewGrace(s Store) {
	if p, ok := As[*retrying](s); ok {
		p.ok()
	}
}

// retrying is safe for concurrent use.
type retrying struct {
	s      Store
	grace  time.Duration
	waits  func(error)
	steady bool // the waits are not random

	mu   sync.Mutex
	down time.Time // when the outage began; zero: the last call has succeeded
	last time.Time // when the last call failed
	told bool      // waits was called for this outage
}

// Unwrap returns the store that is retried. Of its optional interfaces only Folders is retried.
func (p *retrying) Unwrap() Store { return p.s }

// ok ends an outage.
func (p *retrying) ok() {
	p.mu.Lock()
	p.down, p.told = time.Time{}, false
	p.mu.Unlock()
}

// failed returns how long a call may still be retried that failed first at the time since, and when the outage began for it.
func (p *retrying) failed(err error, since time.Time) (left time.Duration, began time.Time) {
	grace := p.grace
	switch ClassOf(err) {
	case Permanent:
		return 0, since
	case Denied:
		grace = min(grace, deniedGrace)
	}
	p.mu.Lock()
	now := time.Now()
	if p.down.IsZero() || now.Sub(p.last) > forgotten { // the last failure belongs to another outage
		p.down, p.told = now, false
	}
	p.last = now
	if p.down.Before(since) {
		since = p.down
	}
	left = grace - now.Sub(since)
	tell := left > 0 && !p.told && p.waits != nil
	p.told = p.told || tell
	p.mu.Unlock()
	if tell {
		p.waits(err)
	}
	return left, since
}

// retry is the state of one call.
type retry struct {
	p     *retrying
	since time.Time
	wait  *backoff.ExponentialBackOff
}

// again waits before the next try. It returns nil to try again, or else the error to return to the caller.
func (c *retry) again(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.wait == nil {
		c.since = time.Now()
		c.wait = backoff.NewExponentialBackOff()
		c.wait.InitialInterval, c.wait.MaxInterval = firstWait, longestWait
		if c.p.steady {
			c.wait.RandomizationFactor = 0
		}
		c.wait.Reset()
	}
	left, began := c.p.failed(err, c.since)
	if left <= 0 {
		if waited := time.Since(began); ClassOf(err) != Permanent && waited > time.Second {
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

// do calls f until it succeeds, or fails and may not be retried.
func (p *retrying) do(ctx context.Context, f func() error) error {
	c := retry{p: p}
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

func (p *retrying) Stat(ctx context.Context, key string) (info Info, err error) {
	err = p.do(ctx, func() (err error) {
		info, err = p.s.Stat(ctx, key)
		return err
	})
	return info, err
}

func (p *retrying) Folders(ctx context.Context, prefix string) (names []string, err error) {
	err = p.do(ctx, func() (err error) {
		names, err = FoldersIn(ctx, p.s, prefix)
		return err
	})
	return names, err
}

// List resumes after the last key that it yielded.
func (p *retrying) List(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last, left := after, false
		c := retry{p: p}
		for {
			var fault error
			for key, err := range p.s.List(ctx, prefix, last) {
				if err != nil {
					fault = err
					break
				}
				c = retry{p: p}
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

func (p *retrying) Put(ctx context.Context, key string, r io.Reader, mode Mode) error {
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

func (p *retrying) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	var r io.ReadCloser
	err := p.do(ctx, func() (err error) {
		r, err = p.s.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, ok := r.(ResumableReader); !ok {
		return r, nil
	}
	again := &retryingReader{ReadCloser: r, ctx: ctx, p: p}
	if _, ok := r.(TeeReader); ok {
		return retryingTee{again}, nil
	}
	return again, nil
}

// retryingReader retries reads of an object.
type retryingReader struct {
	io.ReadCloser
	ctx context.Context
	p   *retrying
}

// Resumable implements ResumableReader.
func (r *retryingReader) Resumable() {}

// retryingTee is a retryingReader of a TeeReader.
type retryingTee struct{ *retryingReader }

// Tee implements TeeReader.
func (r retryingTee) Tee(f TeeFile) { r.ReadCloser.(TeeReader).Tee(f) }

// WriteTo reads to the end.
func (r retryingTee) WriteTo(w io.Writer) (total int64, err error) {
	c := retry{p: r.p}
	for {
		n, err := r.ReadCloser.(io.WriterTo).WriteTo(w)
		if total += n; err == nil {
			return total, nil
		}
		if n > 0 {
			c = retry{p: r.p}
		}
		if err := c.again(r.ctx, err); err != nil {
			return total, err
		}
	}
}

func (r *retryingReader) Read(b []byte) (int, error) {
	c := retry{p: r.p}
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
