package local

import (
	"context"
	"sync"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// cached reads and writes the results that the run shares with other runs. It is safe for concurrent use.
type cached struct {
	*scene
	earlier *cache.Earlier
	warn    sync.Once // that results can't be cached

	mu   sync.Mutex
	keys map[string]cache.Key // of the steps that were looked up, by address
}

func newCached(s *scene) *cached {
	return &cached{scene: s, earlier: cache.NewEarlier(s.machine.store, s.record), keys: map[string]cache.Key{}}
}

// check returns the task that looks a step up; it ends with CacheChecked.
func (c *cached) check(ctx context.Context, s engine.Spec) task {
	s.Attempt = 1
	return func() (record.Event, func()) {
		entry, key, of := c.lookup(ctx, c.spec(&s))
		c.mu.Lock()
		c.keys[s.Step] = key
		c.mu.Unlock()
		e := record.Event{Type: record.CacheChecked, Step: s.Step, Cache: c.earlier.Explain(ctx, s.Step, of, key, entry != nil)}
		if entry != nil {
			e.Result, e.From = &entry.Result, entry.Run
		}
		return e, nil
	}
}

// key returns the cache key of an attempt; it is zero if the step is not cached.
func (c *cached) key(ctx context.Context, spec *step.Spec) cache.Key {
	if spec.Program.Cache == nil {
		return cache.Key{}
	}
	c.mu.Lock()
	key, ok := c.keys[spec.Step]
	c.mu.Unlock()
	if !ok { // an earlier driver has looked it up
		_, key, _ = c.lookup(ctx, spec)
	}
	return key
}

// lookup queries the cache for the result of an attempt; nil if it has none that is usable. It returns the step's cache key
// too.
func (c *cached) lookup(ctx context.Context, spec *step.Spec) (*record.CacheEntry, cache.Key, *step.Key) {
	key, err := c.machine.keyer.Key(ctx, spec, c.deps(spec))
	if err != nil {
		return nil, cache.Key{}, &step.Key{Why: "its cache key can't be computed: " + err.Error()}
	}
	entry, found := cache.Lookup(ctx, c.machine.store, runs.Namespace, key.Digest, spec.Program.Cache.TTL.D())
	return entry, found, &key
}

// keep stores a result in the cache. It warns once if that is not possible.
func (c *cached) keep(ctx context.Context, key cache.Key, result *record.Result) {
	err := cache.Keep(ctx, c.machine.store, key, result)
	if err == nil {
		return
	}
	c.warn.Do(func() {
		c.run.Report(record.Event{
			Type: record.Warned, Step: result.Step, Attempt: result.Attempt, Reason: record.ReasonStore,
			Text: "results can't be stored in the cache, and later runs will compute them again: " + err.Error(),
		})
	})
}
