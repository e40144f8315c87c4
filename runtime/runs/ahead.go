package runs

import (
	"context"
	"iter"

	"pipec.dev/pipec/runtime/store"
)

// maxRequests is how many objects of a remote store are requested concurrently.
const maxRequests = 16

// window is how many objects are requested concurrently: one for a local store, which responds immediately.
func (r *Reader) window() int {
	if _, local := store.As[store.Mover](r.store); local {
		return 1
	}
	return maxRequests
}

// ahead calls f for the elements of seq, n at a time, and returns the results in the order of seq. It ends with the
// first error. Calls whose results are no longer needed are cancelled and waited for, and their results are passed to
// drop, which may be nil.
func ahead[A, B any](ctx context.Context, n int, seq iter.Seq2[A, error], f func(context.Context, A) (B, error), drop func(B)) iter.Seq2[B, error] {
	type result struct {
		value B
		err   error
	}
	return func(yield func(B, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		next, stop := iter.Pull2(seq)
		var queue []chan result
		defer func() {
			stop()
			cancel()
			for _, q := range queue {
				if got := <-q; got.err == nil && drop != nil {
					drop(got.value)
				}
			}
		}()
		more := true
		for {
			for more && len(queue) < n {
				a, err, ok := next()
				if !ok {
					more = false
					break
				}
				q := make(chan result, 1)
				queue = append(queue, q)
				if err != nil {
					q <- result{err: err}
					more = false
					break
				}
				if n == 1 {
					v, err := f(ctx, a)
					q <- result{v, err}
					break
				}
				go func() {
					v, err := f(ctx, a)
					q <- result{v, err}
				}()
			}
			if len(queue) == 0 {
				return
			}
			got := <-queue[0]
			queue = queue[1:]
			if !yield(got.value, got.err) || got.err != nil {
				return
			}
		}
	}
}

// each returns the elements of a list in the form that ahead takes.
func each[A any](list []A) iter.Seq2[A, error] {
	return func(yield func(A, error) bool) {
		for _, a := range list {
			if !yield(a, nil) {
				return
			}
		}
	}
}
