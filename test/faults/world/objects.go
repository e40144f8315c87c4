package world

import (
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

// Objects is a bucket: its objects, and whose writes they are. It is safe for concurrent use.
type Objects struct {
	mu    sync.Mutex
	all   map[string][]byte
	nonce map[string]string
	times map[string]time.Time
}

// NewObjects returns a bucket with these objects.
func NewObjects(all map[string][]byte) *Objects {
	o := &Objects{all: map[string][]byte{}, nonce: map[string]string{}, times: map[string]time.Time{}}
	maps.Copy(o.all, all)
	return o
}

// All returns a copy of the objects by their keys.
func (o *Objects) All() map[string][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.all)
}

func (o *Objects) get(key string) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	data, ok := o.all[key]
	if !ok {
		return nil, store.ErrNotExist
	}
	return data, nil
}

// put writes an object, and reports whether it is new.
func (o *Objects) put(ctx context.Context, key string, data []byte, mode store.Mode) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.all[key]; ok && mode == store.IfAbsent {
		if n := store.Nonce(ctx); n != "" && o.nonce[key] == n { // the writer's own, whose answer was lost
			return false, nil
		}
		return false, store.ErrExists
	}
	o.all[key], o.nonce[key], o.times[key] = data, store.Nonce(ctx), time.Now()
	return true, nil
}

// Get implements store.Store, without a network.
func (o *Objects) Get(_ context.Context, key string) (io.ReadCloser, error) {
	data, err := o.get(key)
	return io.NopCloser(strings.NewReader(string(data))), err
}

// Put implements store.Store.
func (o *Objects) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	data, err := io.ReadAll(r)
	if err == nil {
		_, err = o.put(ctx, key, data, mode)
	}
	return err
}

// Stat implements store.Store.
func (o *Objects) Stat(_ context.Context, key string) (store.Info, error) {
	data, err := o.get(key)
	return store.Info{Size: int64(len(data))}, err
}

// List implements store.Store.
func (o *Objects) List(_ context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(o.All())) {
			if strings.HasPrefix(key, prefix) && key > after && !yield(key, nil) {
				return
			}
		}
	}
}
