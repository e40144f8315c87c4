package storetest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/store"
)

// Memory is a store in memory: it costs a test no time, and works inside a testing/synctest bubble. The zero value is empty.
// It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	data []byte
	at   time.Time
}

// Get implements store.Store.
func (m *Memory) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	o, err := m.find(ctx, key)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(o.data)), nil
}

// Stat implements store.Store.
func (m *Memory) Stat(ctx context.Context, key string) (store.Info, error) {
	o, err := m.find(ctx, key)
	return store.Info{Size: int64(len(o.data)), ModTime: o.at}, err
}

func (m *Memory) find(ctx context.Context, key string) (object, error) {
	if err := store.CheckKey(key); err != nil {
		return object{}, err
	}
	if ctx.Err() != nil {
		return object{}, context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return object{}, store.ErrNotExist
	}
	return o, nil
}

// Put implements store.Store.
func (m *Memory) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, exists := m.objects[key]; exists && mode == store.IfAbsent {
		return store.ErrExists
	}
	if m.objects == nil {
		m.objects = map[string]object{}
	}
	m.objects[key] = object{data, time.Now()}
	return nil
}

// List implements store.Store.
func (m *Memory) List(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		m.mu.Lock()
		keys := slices.Sorted(maps.Keys(m.objects))
		m.mu.Unlock()
		for _, key := range keys {
			switch {
			case !strings.HasPrefix(key, prefix) || key <= after:
			case ctx.Err() != nil:
				yield("", context.Cause(ctx))
				return
			case !yield(key, nil):
				return
			}
		}
	}
}
