package kube

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kube/requests"
)

// work is done beside the loop. The loop then calls the function that it returns; nil: none.
type work = func(context.Context) func()

// pool does work beside the loop in a limited number of goroutines. Work beyond that waits in order. It is owned by the loop.
type pool struct {
	l       *loop
	free    int
	waiting []func() work
}

func newPool(l *loop, limit int) *pool { return &pool{l: l, free: limit} }

// do does work when its turn comes.
func (p *pool) do(w work) { p.choose(func() work { return w }) }

// choose does the work that next returns. next is called in the loop when its turn comes, and returns nil if there is nothing
// to do any more.
func (p *pool) choose(next func() work) {
	p.waiting = append(p.waiting, next)
	p.fill()
}

// fill starts the work that waits, as long as a goroutine is free.
func (p *pool) fill() {
	for p.free > 0 && len(p.waiting) > 0 {
		next := p.waiting[0]
		p.waiting[0], p.waiting = nil, p.waiting[1:]
		if w := next(); w != nil {
			p.free--
			p.start(w)
		}
	}
}

func (p *pool) start(w work) {
	p.l.async(func(ctx context.Context) func() {
		f := w(ctx)
		return func() {
			p.free++
			p.fill()
			if f != nil {
				f()
			}
		}
	})
}

// sender sends a request that changes the cluster, and sends it again after a pause until an answer is the last one. While
// it pauses, it has no goroutine. It is owned by the loop.
type sender struct {
	d     *driver
	pool  *pool
	pause *backoff.ExponentialBackOff // nil: there was no pause yet
	timer *time.Timer                 // of the pause; nil: there is none
}

func newSender(d *driver, p *pool) *sender {
	return &sender{d: d, pool: p}
}

// call is a request that changes the cluster.
type call struct {
	// stale is called in the loop when the turn of the request comes. The request is not sent if stale returns true. It may be
	// nil.
	stale func() bool
	// prepare is called beside the loop before the request, without a time limit. It may be nil.
	prepare func(context.Context) error
	request func(context.Context) error
	// answered is called in the loop with the error of prepare or of the request.
	answered func(error)
}

// send sends a request if this coordinator may act. Nothing follows if the coordinator was taken over or stopped.
func (s *sender) send(c call) {
	s.pool.choose(func() work {
		if c.stale != nil && c.stale() {
			return nil
		}
		return func(ctx context.Context) func() {
			err := s.try(ctx, &c)
			if ctx.Err() != nil || errors.Is(err, ErrTakenOver) {
				return nil
			}
			return func() { c.answered(err) }
		}
	})
}

// try prepares and sends a request.
func (s *sender) try(ctx context.Context, c *call) error {
	if ctx.Err() != nil { // the coordinator was stopped
		return ctx.Err()
	}
	if c.prepare != nil {
		if err := c.prepare(ctx); err != nil {
			return err
		}
	}
	until, err := s.d.fence.pass(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(ctx, earlier(until, time.Now().Add(requests.Timeout)))
	defer cancel()
	return c.request(ctx)
}

// again calls next after a pause that is at least as long as the server demands.
func (s *sender) again(err error, next func()) {
	if s.pause == nil {
		s.pause = s.d.requests.BackOff()
	}
	wait := s.pause.NextBackOff()
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		wait = max(wait, time.Duration(seconds)*time.Second)
	}
	var t *time.Timer
	t = s.d.after(wait, func() {
		if s.timer == t {
			s.timer = nil
			next()
		}
	})
	s.timer = t
}

// skip ends the pause, and reports whether there was one.
func (s *sender) skip() bool {
	if s.timer == nil {
		return false
	}
	s.timer.Stop()
	s.timer = nil
	return true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
