package kube

import (
	"context"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// cached looks results up in the cache, and stores them there. Its maps are owned by the loop, except for keeping.
type cached struct {
	d       *driver
	earlier *cache.Earlier       // nil: nothing was looked up yet
	keys    map[string]cache.Key // of the steps that were looked up, by address
	keeping sync.Map             // chan struct{}, by the digest of a cache key: closed when the result was stored
	failed  sync.Once            // for the warning that results can't be stored
}

// check queries whether an earlier run has the result of the step.
func (c *cached) check(spec engine.Spec) {
	spec.Attempt = 1
	d := c.d
	if c.earlier == nil {
		c.earlier = cache.NewEarlier(d.store, d.record)
	}
	earlier := c.earlier
	task := taskOf(d.record, &spec)
	d.reads.do(func(ctx context.Context) func() {
		entry, key, of := c.lookup(ctx, task)
		why := earlier.Explain(ctx, spec.Step, of, key, entry != nil)
		return func() {
			c.keys[spec.Step] = key
			e := record.Event{Type: record.CacheChecked, Step: spec.Step, Cache: why}
			if entry != nil {
				e.Result, e.From = &entry.Result, entry.Run
			}
			d.feed(e)
		}
	})
}

// lookup looks a result up. It first waits if a result with the same key is being stored: when a step ends, others start
// immediately, and one of them may need that result.
func (c *cached) lookup(ctx context.Context, task *step.Spec) (*record.CacheEntry, cache.Key, *step.Key) {
	key := step.ImageKey(task, task.Program.ImageDigest)
	if done, ok := c.keeping.Load(key.Digest); ok {
		select {
		case <-done.(chan struct{}):
		case <-ctx.Done():
		}
	}
	entry, found := cache.Lookup(ctx, c.d.store, c.d.o.Namespace, key.Digest, task.Program.Cache.TTL.D())
	return entry, found, &key
}

// keep stores a result in the cache, in the background.
func (c *cached) keep(a *attempt, r *record.Result) {
	d := c.d
	if a.spec.Def.Cache == nil {
		return
	}
	key, asked := c.keys[a.id.Step]
	kept := make(chan struct{})
	if asked && key.Digest != "" {
		c.keeping.Store(key.Digest, kept)
	}
	d.async(func(ctx context.Context) func() {
		ctx, done := outlast(ctx, logWait) // the run may end during this work, and waits for its end
		defer done()
		if !asked { // an earlier coordinator has looked it up
			_, key, _ = c.lookup(ctx, a.task())
		}
		err := cache.Keep(ctx, d.store, key, r)
		c.keeping.CompareAndDelete(key.Digest, kept)
		close(kept)
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

// outlast returns a context that ends a while after another one: a coordinator that is asked to end has little time, and a
// store that doesn't answer must not use it up.
func outlast(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(wait, cancel) })
	return out, func() { stop(); cancel() }
}
