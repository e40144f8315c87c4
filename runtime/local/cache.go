package local

import (
	"context"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// lookup asks the cache for the result of an attempt; nil where it has none that will do.
func (d *driver) lookup(ctx context.Context, spec *step.Spec) (*record.CacheEntry, cache.Slot) {
	key, err := d.keyer.Key(ctx, spec, d.deps(spec))
	if err != nil {
		return nil, cache.Slot{}
	}
	return cache.Lookup(ctx, d.store, key.Digest, spec.Program.Cache.TTL.D())
}

// keep puts a result into the cache. Where that fails it is said, once.
func (d *driver) keep(ctx context.Context, slot cache.Slot, result *record.Result) {
	err := cache.Keep(ctx, d.store, slot, result)
	if err == nil {
		return
	}
	d.uncached.Do(func() {
		d.watch.event(record.Event{
			Version: record.Version, Type: record.Warned, At: now(), Run: d.run.Name, Step: result.Step, Attempt: result.Attempt,
			Reason: record.ReasonStore, Text: "results can't be put into the cache, and will be made again: " + err.Error(),
		})
	})
}
