// Package eventually polls for a condition in tests of real processes and real clusters. It is for what has no event to wait
// for: a test of pipec's own code waits for a channel or runs in a testing/synctest bubble.
package eventually

import "time"

// longest is the longest pause between two calls of a condition.
const longest = 250 * time.Millisecond

// Holds calls the condition until it returns true, and reports whether it did within the limit. The pauses between calls
// start at a millisecond and double, up to a quarter of a second.
func Holds(limit time.Duration, condition func() bool) bool {
	deadline := time.Now().Add(limit)
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		if condition() {
			return true
		}
		if !time.Now().Before(deadline) {
			return false
		}
		time.Sleep(pause)
	}
}
