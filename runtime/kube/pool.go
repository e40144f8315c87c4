package kube

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kube/requests"
)

// pool does work beside the loop in a limited number of goroutines. Work beyond that waits in order. It is owned by the loop.
type pool struct {
	l       *loop
	free    int
	waiting []func(context.Context) func()
}

func newPool(l *loop, limit int) *pool { return &pool{l: l, free: limit} }

// do runs work beside the loop, and the function that it returns in the loop; nil: none.
func (p *pool) do(work func(context.Context) func()) {
	if p.free == 0 {
		p.waiting = append(p.waiting, work)
		return
	}
	p.free--
	p.l.async(func(ctx context.Context) func() {
		f := work(ctx)
		return func() {
			p.free++
			if len(p.waiting) > 0 {
				next := p.waiting[0]
				p.waiting[0], p.waiting = nil, p.waiting[1:]
				p.do(next)
			}
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
	pause *backoff.ExponentialBackOff
	timer *time.Timer // of the pause; nil: there is none
}

func newSender(d *driver, p *pool) *sender {
	return &sender{d: d, pool: p, pause: d.requests.BackOff()}
}

// send sends a request if this coordinator may act, and calls answered in the loop. Nothing follows if the coordinator was
// taken over or stopped.
func (s *sender) send(request func(context.Context) error, answered func(error)) {
	s.pool.do(func(ctx context.Context) func() {
		until, err := s.d.fence.pass(ctx)
		if err == nil {
			until = earlier(until, time.Now().Add(requests.Timeout))
			try, cancel := context.WithDeadline(ctx, until)
			err = request(try)
			cancel()
		}
		if ctx.Err() != nil || errors.Is(err, ErrTakenOver) {
			return nil
		}
		return func() { answered(err) }
	})
}

// again calls next after a pause that is at least as long as the server demands.
func (s *sender) again(err error, next func()) {
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
