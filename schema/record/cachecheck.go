package record

import "strings"

// CacheCheck is what a driver has found when it looked a step up in the cache.
type CacheCheck struct {
	// Parts are the parts of the cache key, by name: digests, and versions of programs. It is empty if the step can't be
	// cached.
	Parts map[string]string `json:"parts,omitempty"`
	// Run is the earlier run whose cache key was compared with this one after a miss; "": there is none.
	Run string `json:"run,omitempty"`
	// Changed are the parts in which the two keys differ: "code", "input y", "package x 1.5.1 → 1.5.2".
	Changed []string `json:"changed,omitempty"`
	// Why is the reason of a miss if it is not Changed: the step can't be cached, or its entry can't be used.
	Why string `json:"why,omitempty"`
}

// MissNoRun is the reason of a miss in the first run of a pipeline.
const MissNoRun = "no earlier run of this pipeline has a result of the step"

// Miss returns why the cache has no result for the step, or "" if it has one, or c is nil.
func (c *CacheCheck) Miss() string {
	switch {
	case c == nil:
		return ""
	case len(c.Changed) > 0:
		return enumerate(c.Changed) + " changed since run " + c.Run
	}
	return c.Why
}

// maxNamed is how many changed parts Miss names.
const maxNamed = 4

// enumerate joins words: "a, b and c".
func enumerate(words []string) string {
	if more := len(words) - maxNamed; more > 0 {
		return strings.Join(words[:maxNamed], ", ") + " and more"
	}
	if last := len(words) - 1; last > 0 {
		return strings.Join(words[:last], ", ") + " and " + words[last]
	}
	return words[0]
}
