package cache

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Limits of what is read of earlier runs. A coordinator has little memory, and an explanation is worth only so much.
const (
	maxEarlier = 5       // runs with an end
	maxIndex   = 50      // entries of the index
	maxEnd     = 8 << 20 // bytes of the record of a run's end
)

// Earlier are the runs of a pipeline before a run. It explains misses: it compares cache keys with those of the newest
// earlier run in which the step was looked up. Runs are read when the first miss needs them. It is safe for concurrent
// use.
type Earlier struct {
	store store.Store
	run   *record.Run

	read   sync.Once
	runs   []earlierRun
	packed sync.Map // digests of the lists of packages that were stored
}

// earlierRun is what an earlier run has recorded about the cache.
type earlierRun struct {
	name  string
	steps map[string]earlierStep
}

type earlierStep struct {
	Name   string        `json:"name"`
	Status record.Status `json:"status"`
	Cache  *struct {
		Parts map[string]string `json:"parts"`
	} `json:"cache"`
}

// NewEarlier returns the runs before a run.
func NewEarlier(s store.Store, run *record.Run) *Earlier { return &Earlier{store: s, run: run} }

// Explain returns the record of a lookup for a step at an address: of has its parts, key is what Lookup has returned, and
// hit reports whether there was a result. It reads other runs only after a miss. Without their records, the explanation is
// shorter.
func (e *Earlier) Explain(ctx context.Context, address string, of *step.Key, key Key, hit bool) *record.CacheCheck {
	if of.Digest == "" {
		return &record.CacheCheck{Why: of.Why}
	}
	e.keepPackages(ctx, of)
	c := &record.CacheCheck{Parts: of.Parts}
	switch {
	case hit:
	case key.miss != "":
		c.Why = key.miss
	default:
		e.compare(ctx, address, of, c)
	}
	return c
}

// compare fills in the difference to the newest earlier run that has looked the step up.
func (e *Earlier) compare(ctx context.Context, address string, of *step.Key, c *record.CacheCheck) {
	e.read.Do(func() { e.runs = readEarlier(ctx, e.store, e.run) })
	for i := range e.runs {
		was, ok := e.runs[i].steps[address]
		if !ok {
			continue
		}
		c.Run = e.runs[i].name
		c.Changed = changes(was.Cache.Parts, of.Parts, func() []string { return e.packages(ctx, was.Cache.Parts[step.PartPackages], of.Packages) })
		switch {
		case len(c.Changed) > 0:
		case was.Status == record.Succeeded:
			c.Why = "the result of run " + c.Run + ", which has the same cache key, was not stored in the cache"
		default:
			c.Why = "no result is stored: in run " + c.Run + ", which has the same cache key, the step is " + string(was.Status)
		}
		return
	}
	c.Why = record.MissNoRun
}

// keepPackages stores the list of packages, so that a later run can name those that have changed.
func (e *Earlier) keepPackages(ctx context.Context, of *step.Key) {
	digest := of.Parts[step.PartPackages]
	if digest == "" {
		return
	}
	if _, done := e.packed.LoadOrStore(digest, true); done {
		return
	}
	_ = e.store.Put(ctx, record.BlobKey(digest), bytes.NewReader(step.PackageList(of.Packages)), store.IfAbsent)
}

// packages returns the differences between the packages of an earlier run and those of now. If the earlier ones are not
// stored, it returns one word for all.
func (e *Earlier) packages(ctx context.Context, digest string, now []string) []string {
	if digest != "" {
		if data, err := store.ReadAll(ctx, e.store, record.BlobKey(digest)); err == nil {
			if changed := packageChanges(strings.Split(strings.TrimSpace(string(data)), "\n"), now); len(changed) > 0 {
				return changed
			}
		}
	}
	return []string{step.PartPackages}
}

// readEarlier reads what the newest earlier runs with an end have recorded. Whatever can't be read is left out.
func readEarlier(ctx context.Context, s store.Store, run *record.Run) []earlierRun {
	var out []earlierRun
	seen := 0
	for key, err := range s.List(ctx, record.IndexDir(run.Namespace)+run.Pipeline+"/", "") {
		if err != nil || seen == maxIndex || len(out) == maxEarlier {
			break
		}
		at, ok := record.IndexEntry(key)
		if !ok || at.Name == run.Name {
			continue
		}
		seen++
		if steps, err := stepsOf(ctx, s, at); err == nil {
			out = append(out, earlierRun{at.Name, steps})
		}
	}
	return out
}

// stepsOf reads the steps that a run has looked up, by address.
func stepsOf(ctx context.Context, s store.Store, at *record.Run) (map[string]earlierStep, error) {
	end := at.EndKey()
	info, err := s.Stat(ctx, end)
	if err != nil {
		return nil, err
	}
	if info.Size > maxEnd {
		return nil, fmt.Errorf("%s has more than %d bytes", end, maxEnd)
	}
	var read struct {
		Steps []earlierStep `json:"steps"`
	}
	data, err := store.ReadAll(ctx, s, end)
	if err == nil {
		err = store.DecodeJSON(data, &read)
	}
	if err != nil {
		return nil, err
	}
	steps := map[string]earlierStep{}
	for _, one := range read.Steps {
		if one.Cache != nil && len(one.Cache.Parts) > 0 {
			steps[one.Name] = one
		}
	}
	return steps, nil
}
