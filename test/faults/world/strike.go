package world

import (
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
		time.AfterFunc(c.w.until(10*time.Second, "all vanish"), c.run.vanish)
	case "watch-twice":
		c.eachWatch(func(w *watch) { w.repeat(5) })
	case "watch-held":
		c.eachWatch(func(w *watch) {
			open := make(chan struct{})
			time.AfterFunc(c.w.until(20*time.Second, c.name+" sees"), func() { close(open) })
			w.holdUntil(open)
		})
	case "lease-gone":
		c.w.API.Remove("leases", c.run.Name)
	case "cancel":
		c.run.cancel()
	case "delete-job":
		c.run.deleteJob()
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
	case "store-1m", "store-20m":
		w.away = time.Now().Add(m.Outage)
	case "denied":
		w.denied = time.Now().Add(m.Outage)
	}
}

// kill kills the coordinator. The next one runs in another pod, unless next is "".
func (c *coordinator) kill(next string) {
	c.next = next
	c.run.note(history.Event{Who: c.name, What: history.Killed})
	c.die()
	c.stop()
}

// replace takes the coordinator's network away for a while. Meanwhile another pod takes its place. Its own pod is gone for
// the cluster, if gone is set; else the successor has to wait for the Lease.
func (c *coordinator) replace(wait time.Duration, gone, store bool) {
	c.run.note(history.Event{Who: c.name, What: history.Cut})
	c.done = true
	back := c.disconnect(store)
	if gone {
		c.w.API.Remove("pods", c.pod)
	}
	c.run.start()
	time.AfterFunc(c.w.until(wait, c.name+" is back"), func() {
		c.run.note(history.Event{Who: c.name, What: history.Back})
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
func (r *run) vanish() {
	for _, n := range r.pods() {
		if p, ok := r.w.API.Pod(n.name); ok && p.Status.Phase == corev1.PodRunning {
			n.perish(Vanish)
		}
	}
}

// pods returns the pods of the run that exist, in order.
func (r *run) pods() []*node {
	return slices.DeleteFunc(r.w.all(), func(n *node) bool { return n.run != r })
}

// all returns the pods of steps that exist, in order.
func (w *World) all() []*node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Values(w.nodes), func(a, b *node) int { return strings.Compare(string(a.uid), string(b.uid)) })
}

// start starts a coordinator in another pod.
func (r *run) start() {
	w := r.w
	w.mu.Lock()
	r.replaced++
	number := 1 + r.replaced
	w.mu.Unlock()
	w.working.Go(func() {
		if w.pause(w.ctx, restartDelay, r.title(fmt.Sprintf("coordinator-%d starts", number))) {
			r.coordinate(w.ctx, number)
		}
	})
}
