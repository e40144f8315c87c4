package cluster

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// each calls f for 0 to n-1, a few at a time. It returns the error of the lowest index that failed, whichever failed
// first, so that the same problem gives the same message. No call starts above an index that failed.
func each(ctx context.Context, n int, f func(context.Context, int) error) error {
	var (
		g      errgroup.Group
		mu     sync.Mutex
		failed = n
		first  error
	)
	g.SetLimit(atOnce)
	for i := range n {
		g.Go(func() error {
			mu.Lock()
			over := i > failed
			mu.Unlock()
			if over {
				return nil
			}
			if err := f(ctx, i); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if i < failed {
					failed, first = i, err
				}
			}
			return nil
		})
	}
	_ = g.Wait() // none returns an error
	return first
}

// warnings collects the warnings that the API server sends with a response, for requests whose context comes from withWarnings.
type warnings struct{}

type warningsKey struct{}

// collected are the distinct warnings of one request. It is safe for concurrent use.
type collected struct {
	mu   sync.Mutex
	list []string
}

func withWarnings(ctx context.Context) (context.Context, *collected) {
	t := &collected{}
	return context.WithValue(ctx, warningsKey{}, t), t
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (warnings) HandleWarningHeaderWithContext(ctx context.Context, _ int, _ string, text string) {
	t, ok := ctx.Value(warningsKey{}).(*collected)
	if !ok || text == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, have := range t.list {
		if have == text {
			return
		}
	}
	t.list = append(t.list, text)
}
