package local

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// cacheSlot is where the result of an attempt is looked for, and kept.
type cacheSlot struct {
	digest string     // "": it can't be cached
	mode   store.Mode // Replace where what is there won't do any more
}

// lookup asks the cache for the result of an attempt; nil where it has none that will do.
func (d *driver) lookup(ctx context.Context, spec *step.Spec) (*record.CacheEntry, cacheSlot) {
	key, err := d.keyer.Key(ctx, spec, d.deps(spec))
	if err != nil || key.Digest == "" {
		return nil, cacheSlot{}
	}
	slot := cacheSlot{digest: key.Digest, mode: store.IfAbsent}
	entry, err := store.ReadJSON[record.CacheEntry](ctx, d.store, record.CacheKey(key.Digest))
	if errors.Is(err, store.ErrNotExist) {
		return nil, slot
	}
	slot.mode = store.Replace
	if err != nil || entry.Result.Status != record.Succeeded {
		return nil, slot
	}
	if ttl := spec.Program.Cache.TTL.D(); ttl > 0 && time.Since(entry.At) > ttl {
		return nil, slot
	}
	for i := range entry.Result.Outputs {
		if !present(ctx, d.store, &entry.Result.Outputs[i]) {
			return nil, slot
		}
	}
	return &entry, slot
}

// keep puts a result into the cache. Where that fails the next run does the work again: it is said once, and no fault of
// this one.
func (d *driver) keep(ctx context.Context, slot cacheSlot, result *record.Result) {
	if slot.digest == "" {
		return
	}
	entry := step.CacheEntryFor(result)
	err := store.WriteJSON(ctx, d.store, record.CacheKey(slot.digest), &entry, slot.mode)
	if err == nil || errors.Is(err, store.ErrExists) { // another run has done the same meanwhile
		return
	}
	d.uncached.Do(func() {
		d.watch.event(record.Event{
			Version: record.Version, Type: record.Warned, At: now(), Run: d.run.Name, Step: result.Step, Attempt: result.Attempt,
			Reason: record.ReasonStore, Text: "results can't be put into the cache, and will be made again: " + err.Error(),
		})
	})
}

// present says whether all content of an output is still in the store.
func present(ctx context.Context, s store.Store, d *record.Datum) bool {
	for i := range d.Elems {
		if !present(ctx, s, &d.Elems[i]) {
			return false
		}
	}
	a := d.Artifact
	switch {
	case a == nil:
		return true
	case !a.Directory:
		return has(ctx, s, a.Digest, a.Size)
	}
	tree, err := store.ReadTree(ctx, s, *a)
	if err != nil {
		return false
	}
	for i := range tree.Files {
		if f := &tree.Files[i]; f.Digest != "" && !has(ctx, s, f.Digest, f.Size) {
			return false
		}
	}
	return true
}

func has(ctx context.Context, s store.Store, digest string, size int64) bool {
	info, err := s.Stat(ctx, record.BlobKey(digest))
	return err == nil && info.Size == size
}
