package world

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// strike carries out a fault that is about the coordinator, its network or its environment, and not about one call.
func (c *coordinator) strike(m plan.Mode, when moment) {
	switch m.Name + map[moment]string{before: "", after: " after"}[when] {
	case "kill-before", "kill-after after":
		c.kill("")
	case "move-before", "move-after after":
		c.kill(fmt.Sprintf("moved-%s", c.pod))
	case "stop":
		c.stop()
	case "cut-short":
		c.replace(15*time.Second, true, false)
	case "cut-lease":
		c.replace(50*time.Second, false, false)
	case "cut-long":
		c.replace(3*time.Minute, true, false)
	case "cut-api":
		c.replace(50*time.Second, true, true)
	case "watch-cut":
		c.interrupt()
	case "watch-410":
		c.expire(0)
	case "watch-blind":
		c.expire(40 * time.Second)
	case "vanish-blind":
		c.expire(40 * time.Second)
		time.AfterFunc(c.w.until(10*time.Second, "all vanish"), c.w.vanish)
	case "watch-twice":
		c.eachWatch(func(w *watch) { w.repeat(5) })
	case "watch-held":
		c.eachWatch(func(w *watch) {
			open := make(chan struct{})
			time.AfterFunc(c.w.until(20*time.Second, c.name+" sees"), func() { close(open) })
			w.holdUntil(open)
		})
	case "cancel":
		c.w.Cancel()
	case "delete-job":
		c.w.DeleteJob()
	default:
		if when == before {
			c.w.strikeStore(m)
		}
	}
}

// strikeStore begins an outage of the store.
func (w *World) strikeStore(m plan.Mode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch m.Name {
	case "store-1m":
		w.away = time.Now().Add(time.Minute)
	case "store-20m":
		w.away = time.Now().Add(20 * time.Minute)
	case "denied":
		w.denied = time.Now().Add(40 * time.Second)
	}
}

// kill kills the coordinator. The next one runs in another pod, unless next is "".
func (c *coordinator) kill(next string) {
	c.next = next
	c.w.History.Add(history.Event{Who: c.name, What: history.Killed})
	c.die()
	c.stop()
}

// replace takes the coordinator's network away for a while. Meanwhile another pod takes its place. Its own pod is gone for
// the cluster, if gone is set; else the successor has to wait for the Lease.
func (c *coordinator) replace(wait time.Duration, gone, store bool) {
	c.w.History.Add(history.Event{Who: c.name, What: history.Cut})
	c.done = true
	back := c.disconnect(store)
	if gone {
		c.w.API.Remove("pods", c.pod)
	}
	c.w.start()
	time.AfterFunc(c.w.until(wait, c.name+" is back"), func() {
		c.w.History.Add(history.Event{Who: c.name, What: history.Back})
		back()
	})
}

// expire has the client's watches end, see nothing for a while, and then find that their versions have expired.
func (c *client) expire(wait time.Duration) {
	c.mu.Lock()
	c.blind, c.expired = time.Now().Add(wait), true
	c.mu.Unlock()
	c.interrupt()
}

// vanish has all pods of the run vanish.
func (w *World) vanish() {
	for _, n := range w.all() {
		if p, ok := w.API.Pod(n.name); ok && p.Status.Phase == corev1.PodRunning {
			n.perish(Vanish)
		}
	}
}

// all returns the pods that exist, in order.
func (w *World) all() []*node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Values(w.nodes), func(a, b *node) int { return strings.Compare(string(a.uid), string(b.uid)) })
}

// start starts a coordinator in a pod of its own.
func (w *World) start() {
	w.mu.Lock()
	w.replaced++
	number := 1 + w.replaced
	w.mu.Unlock()
	w.working.Go(func() {
		if w.pause(w.ctx, restartDelay, fmt.Sprintf("coordinator-%d starts", number)) {
			w.Coordinate(w.ctx, number)
		}
	})
}

// Play runs the run to its end, or for a limited time, and then waits until everything has come to rest. It reports whether
// the run has ended.
func (w *World) Play(ctx context.Context, limit, rest time.Duration) bool {
	w.ctx, w.stop = context.WithTimeout(ctx, limit)
	defer w.stop()
	w.commands("")
	w.working.Go(func() { w.Coordinate(w.ctx, 1) })
	w.working.Wait()
	ended := w.ctx.Err() == nil
	time.Sleep(rest)
	w.close()
	time.Sleep(time.Minute) // until processes have ended that were asked to, or were killed
	return ended
}

// close ends the processes that are left.
func (w *World) close() {
	for _, n := range w.all() {
		n.wrap.die()
		n.stop(context.Canceled)
	}
}
