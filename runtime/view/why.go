package view

import "pipec.dev/pipec/schema/record"

// Why returns why a step has its status, in one line: which run its result is from, what has changed since it was cached,
// because of which step it was skipped, or how it failed. It is "" if there is nothing to explain.
func Why(s *record.StepEnd) string {
	switch {
	case s.Ask != nil && !s.Status.Ended():
		return "waiting for approval: " + oneLine(s.Ask.Message)
	case s.Cached || s.Kept:
		return "result of run " + safe(s.Run, tailWidth)
	case s.Reason != "" || s.Message != "":
		return because(s.Reason, s.Message)
	}
	if miss := miss(s.Cache); miss != "" {
		return "not cached: " + safe(miss, tailWidth)
	}
	return ""
}

// miss returns why the cache has no result for a step. It is "" in the first run of a pipeline, because every step misses then.
func miss(c *record.CacheCheck) string {
	if why := c.Miss(); why != record.MissNoRun {
		return why
	}
	return ""
}
