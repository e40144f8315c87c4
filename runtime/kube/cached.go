package kube

import (
	"context"
	"sync"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// cached looks results up in the cache, and stores them there. Its maps are owned by the loop, except for keeping.
type cached struct {
	d       *driver
	slots   map[string]cache.Slot // where the result of a step belongs, by the step
	keeping sync.Map              // chan struct{}, by the digest of a slot: closed when the result was stored there
	failed  sync.Once             // for the warning that results can't be stored
}

// check queries whether an earlier run has the result of the step.
func (c *cached) check(spec engine.Spec) {
	spec.Attempt = 1
	d := c.d
	task := d.task(&spec)
	d.reads.do(func(ctx context.Context) func() {
		entry, slot := c.lookup(ctx, task)
		return func() {
			c.slots[spec.Step] = slot
			e := record.Event{Type: record.CacheChecked, Step: spec.Step}
			if entry != nil {
				e.Result, e.From = &entry.Result, entry.Run
			}
			d.feed(e)
		}
	})
}

// lookup waits for a result that is being stored where it looks: when a step ends others start at once, and one of them may
// need the same result.
func (c *cached) lookup(ctx context.Context, task *step.Spec) (*record.CacheEntry, cache.Slot) {
	key := step.ImageKey(task, task.Program.ImageDigest)
	if done, ok := c.keeping.Load(key.Digest); ok {
		select {
		case <-done.(chan struct{}):
		case <-ctx.Done():
		}
	}
	return cache.Lookup(ctx, c.d.store, key.Digest, task.Program.Cache.TTL.D())
}

// keep stores a result in the cache, beside the loop.
func (c *cached) keep(a *attempt, r *record.Result) {
	d := c.d
	if a.step.Program.Cache == nil {
		return
	}
	slot, asked := c.slots[a.id.Step]
	done := make(chan struct{})
	if asked && slot.Digest != "" {
		c.keeping.Store(slot.Digest, done)
	}
	d.async(func(ctx context.Context) func() {
		ctx = context.WithoutCancel(ctx) // the run may end meanwhile, and waits for it
		if !asked {                      // a coordinator before this one has
			_, slot = c.lookup(ctx, a.step)
		}
		err := cache.Keep(ctx, d.store, slot, r)
		c.keeping.CompareAndDelete(slot.Digest, done)
		close(done)
		if err == nil {
			return nil
		}
		return func() {
			c.failed.Do(func() {
				d.warn(a.id.Step, "results can't be stored in the cache, and later runs will compute them again: "+err.Error())
			})
		}
	})
}
