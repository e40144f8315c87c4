package world

import (
	"context"
	"hash/fnv"
	"strconv"
	"sync"
	"time"
)

// clock gives everything that happens an instant of its own.
type clock struct {
	seed string

	mu    sync.Mutex
	taken map[time.Time]bool
}

func newClock(seed uint64) *clock {
	return &clock{seed: strconv.FormatUint(seed, 10), taken: map[time.Time]bool{}}
}

// instant returns a time that is still free, half to one and a half times the wait from now. What it is depends on the
// seed and the reason.
func (c *clock) instant(wait time.Duration, why string) time.Time {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.seed + " " + why))
	c.mu.Lock()
	defer c.mu.Unlock()
	at := time.Now().Add(wait/2 + time.Duration(h.Sum64()%uint64(max(wait, 1))))
	for c.taken[at] {
		at = at.Add(time.Nanosecond)
	}
	c.taken[at] = true
	return at
}

// sleep waits for an instant of its own, and reports whether ctx has not ended before.
func (c *clock) sleep(ctx context.Context, wait time.Duration, why string) bool {
	t := time.NewTimer(time.Until(c.instant(wait, why)))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// until returns how long it takes from now to an instant of its own.
func (w *World) until(wait time.Duration, why string) time.Duration {
	return time.Until(w.clock.instant(wait, why))
}
