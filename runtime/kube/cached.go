package kube

import (
	"context"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// checkCache asks whether an earlier run has the result of the step.
func (d *driver) checkCache(spec engine.Spec) {
	spec.Attempt = 1
	task := d.task(&spec)
	d.async(func(ctx context.Context) func() {
		entry, slot := d.lookup(ctx, task)
		return func() {
			d.slots[spec.Step] = slot
			e := record.Event{Type: record.CacheChecked, Step: spec.Step}
			if entry != nil {
				e.Result, e.From = &entry.Result, entry.Run
			}
			d.feed(e)
		}
	})
}

// lookup waits for a result that is being put where it looks: a step that ends lets others start at once, and one of them
// may do the same.
func (d *driver) lookup(ctx context.Context, task *step.Spec) (*record.CacheEntry, cache.Slot) {
	key := step.ImageKey(task, task.Program.ImageDigest)
	if done, ok := d.keeping.Load(key.Digest); ok {
		select {
		case <-done.(chan struct{}):
		case <-ctx.Done():
		}
	}
	return cache.Lookup(ctx, d.store, key.Digest, task.Program.Cache.TTL.D())
}

// keep puts a result into the cache, beside the work.
func (d *driver) keep(a *attempt, r *record.Result) {
	if a.step.Program.Cache == nil {
		return
	}
	slot, asked := d.slots[a.id.step]
	done := make(chan struct{})
	if asked && slot.Digest != "" {
		d.keeping.Store(slot.Digest, done)
	}
	d.async(func(ctx context.Context) func() {
		ctx = context.WithoutCancel(ctx) // the run may end meanwhile, and waits for it
		if !asked {                      // a coordinator before this one has
			_, slot = d.lookup(ctx, a.step)
		}
		err := cache.Keep(ctx, d.store, slot, r)
		d.keeping.CompareAndDelete(slot.Digest, done)
		close(done)
		if err == nil {
			return nil
		}
		return func() {
			if !d.uncached {
				d.uncached = true
				d.warn(a.id.step, "results can't be put into the cache, and will be made again: "+err.Error())
			}
		}
	})
}
