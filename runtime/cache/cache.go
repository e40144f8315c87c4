// Package cache stores the results of steps by the digest of all their inputs, and finds them again. All drivers use
// it. What the digest covers is defined by runtime/step.
package cache

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Key is the cache key of an attempt, as Lookup has found it.
type Key struct {
	Digest string     // "" if the result can't be cached
	object string     // the key of the entry in the store
	mode   store.Mode // how Keep writes the entry: Replace if the present one is not usable any more
	miss   string     // why the present entry can't be used; "": there is none, or it can
}

// Lookup looks up a result in the cache of a namespace, record.Run.Namespace, by the digest of its inputs; "" looks up nothing. The entry is at most ttl old, or of any
// age if ttl is 0. Lookup returns nil if there is no entry, or if some of its content is no longer in the store.
func Lookup(ctx context.Context, s store.Store, namespace, digest string, ttl time.Duration) (*record.CacheEntry, Key) {
	if digest == "" {
		return nil, Key{}
	}
	key := Key{Digest: digest, object: record.CacheKey(namespace, digest), mode: store.IfAbsent}
	entry, err := store.ReadJSON[record.CacheEntry](ctx, s, key.object)
	if errors.Is(err, store.ErrNotExist) {
		return nil, key
	}
	key.mode = store.Replace
	switch {
	case err != nil:
		key.miss = "the cached result can't be read"
	case entry.Result.Status != record.Succeeded:
		key.miss = "the cached result is not a success"
	case ttl > 0 && time.Since(entry.At) > ttl:
		key.miss = "the result of run " + entry.Run + " is older than the ttl of " + ttl.String()
	case !Present(ctx, s, entry.Result.Outputs):
		key.miss = "the outputs of run " + entry.Run + " are no longer in the artifact store"
	default:
		return &entry, key
	}
	return nil, key
}

// Keep stores a result under its key. A failure to store is not an error of this run: the next run repeats the work.
func Keep(ctx context.Context, s store.Store, key Key, result *record.Result) error {
	if key.Digest == "" {
		return nil
	}
	entry := step.CacheEntryFor(result)
	err := store.WriteJSON(ctx, s, key.object, &entry, key.mode)
	if errors.Is(err, store.ErrExists) { // another run has stored the same result
		return nil
	}
	return err
}

// Present reports whether all content of the outputs is in the store.
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
