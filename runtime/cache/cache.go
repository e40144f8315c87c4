// Package cache keeps the results of steps by the digest of all that went into them, and finds them again. It is the
// same for every driver; what goes into a digest is the business of runtime/step.
package cache

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Slot is where the result of an attempt is looked for, and kept.
type Slot struct {
	Digest string     // "": it can't be cached
	mode   store.Mode // Replace where what is there won't do any more
}

// Lookup asks for a result by the digest of what went into it ("": nothing is asked), no older than ttl (0: of any age).
// The entry is nil where there is none that will do: all its content is in the store still.
func Lookup(ctx context.Context, s store.Store, digest string, ttl time.Duration) (*record.CacheEntry, Slot) {
	if digest == "" {
		return nil, Slot{}
	}
	slot := Slot{Digest: digest, mode: store.IfAbsent}
	entry, err := store.ReadJSON[record.CacheEntry](ctx, s, record.CacheKey(digest))
	if errors.Is(err, store.ErrNotExist) {
		return nil, slot
	}
	slot.mode = store.Replace
	if err != nil || entry.Result.Status != record.Succeeded {
		return nil, slot
	}
	if ttl > 0 && time.Since(entry.At) > ttl {
		return nil, slot
	}
	if !Present(ctx, s, entry.Result.Outputs) {
		return nil, slot
	}
	return &entry, slot
}

// Keep puts a result into its slot. Where that fails the next run does the work again: it is no fault of this one.
func Keep(ctx context.Context, s store.Store, slot Slot, result *record.Result) error {
	if slot.Digest == "" {
		return nil
	}
	entry := step.CacheEntryFor(result)
	err := store.WriteJSON(ctx, s, record.CacheKey(slot.Digest), &entry, slot.mode)
	if errors.Is(err, store.ErrExists) { // another run has done the same meanwhile
		return nil
	}
	return err
}

// Present says whether all content of the outputs is in the store.
func Present(ctx context.Context, s store.Store, outputs []record.Datum) bool {
	for i := range outputs {
		d := &outputs[i]
		if !Present(ctx, s, d.Elems) || d.Artifact != nil && !whole(ctx, s, d.Artifact) {
			return false
		}
	}
	return true
}

func whole(ctx context.Context, s store.Store, a *record.Artifact) bool {
	if !a.Directory {
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
