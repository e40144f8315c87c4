package local

import (
	"context"
	"sync"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// cached reads and writes the results that the run shares with other runs. It is safe for concurrent use.
type cached struct {
	*scene
	warn sync.Once // that results can't be cached

	mu    sync.Mutex
	slots map[string]cache.Slot // of the steps that were looked up, by address
}

func newCached(s *scene) *cached { return &cached{scene: s, slots: map[string]cache.Slot{}} }

// check returns the task that looks a step up; it ends with CacheChecked.
func (c *cached) check(ctx context.Context, s engine.Spec) task {
	s.Attempt = 1
	return func() (record.Event, func()) {
		entry, slot := c.lookup(ctx, c.spec(&s))
		c.mu.Lock()
		c.slots[s.Step] = slot
		c.mu.Unlock()
		e := record.Event{Type: record.CacheChecked, Step: s.Step}
		if entry != nil {
			e.Result, e.From = &entry.Result, entry.Run
		}
		return e, nil
	}
}

// slot returns where the result of an attempt is cached.
func (c *cached) slot(ctx context.Context, spec *step.Spec) cache.Slot {
	if spec.Program.Cache == nil {
		return cache.Slot{}
	}
	c.mu.Lock()
	slot, ok := c.slots[spec.Step]
	c.mu.Unlock()
	if !ok { // a driver before this one has looked it up
		_, slot = c.lookup(ctx, spec)
	}
	return slot
}

// lookup queries the cache for the result of an attempt; nil if it has none that is usable.
func (c *cached) lookup(ctx context.Context, spec *step.Spec) (*record.CacheEntry, cache.Slot) {
	key, err := c.machine.keyer.Key(ctx, spec, c.deps(spec))
	if err != nil {
		return nil, cache.Slot{}
	}
	return cache.Lookup(ctx, c.machine.store, key.Digest, spec.Program.Cache.TTL.D())
}

// keep stores a result in the cache. It warns once if that is not possible.
func (c *cached) keep(ctx context.Context, slot cache.Slot, result *record.Result) {
	err := cache.Keep(ctx, c.machine.store, slot, result)
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
