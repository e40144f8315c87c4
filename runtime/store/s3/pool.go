package s3

import (
	"context"
	"sync"

	"pipec.dev/pipec/runtime/store"
)

// pool bounds the memory of the parts of all objects. Buffers are reused while any is in use, and left to the garbage
// collector afterwards.
type pool struct {
	tokens chan struct{}
	mu     sync.Mutex
	free   [][]byte
	out    int
}

func newPool(n int) *pool { return &pool{tokens: make(chan struct{}, max(n, 1))} }

// get waits for a buffer. A caller that has one returns it without needing another one, so get never waits forever.
func (p *pool) get(ctx context.Context) ([]byte, error) {
	select {
	case p.tokens <- struct{}{}:
		return p.take(), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// try returns a buffer if one is left, or else nil.
func (p *pool) try() []byte {
	select {
	case p.tokens <- struct{}{}:
		return p.take()
	default:
		return nil
	}
}

func (p *pool) take() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out++
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return make([]byte, store.PartSize(0))
}

func (p *pool) put(b []byte) {
	p.mu.Lock()
	if p.out--; p.out == 0 {
		p.free = nil
	} else {
		p.free = append(p.free, b)
	}
	p.mu.Unlock()
	<-p.tokens
}
