package groups

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// linger is a pod that may still run although its attempt has ended, because its node is unreachable. Its slots are released
// when the pod has ended.
type linger struct {
	uid   types.UID
	slots []engine.Slot
}

// Release releases a slot, or withdraws the request for it.
func (g *Groups) Release(s engine.Slot) {
	if w := g.waits[s]; w != nil {
		w.gone = true
		g.done(w)
		g.withdraw(s, w.tried)
		return
	}
	if !g.held[s] {
		return
	}
	delete(g.held, s)
	if g.lingering(s) {
		g.late[s] = true
		return
	}
	g.withdraw(s, nil)
}

func (g *Groups) lingering(s engine.Slot) bool {
	for _, l := range g.lingers {
		for _, other := range l.slots {
			if other == s {
				return true
			}
		}
	}
	return false
}

// withdraw removes the run from a group's Lease after the reason was written to the run's log. Otherwise a successor would
// assume that the run holds the slot. It first waits for after, which is closed when a look that might still take a slot has
// ended.
func (g *Groups) withdraw(s engine.Slot, after <-chan struct{}) {
	me := g.lease.member(s)
	g.releasing.Add(1)
	g.host.Async(func(ctx context.Context) func() {
		defer g.releasing.Done()
		if after != nil {
			<-after
		}
		if !g.host.Logged(ctx) {
			return nil // another coordinator drives the run, and holds its slots
		}
		g.remove(ctx, s.Group, s.Step, func(r *entries) {
			r.holders, r.queue = drop(r.holders, me.is), drop(r.queue, me.is)
		})
		return nil
	})
}

// remove removes entries of the run from a group's Lease. A request that the server refuses is repeated as long as the
// coordinator runs: until then all runs of the group wait, this one too. It is called beside the loop.
func (g *Groups) remove(ctx context.Context, group, step string, change func(*entries)) {
	wait, warned := g.o.Requests.BackOff(), false
	for {
		_, _, err := g.lease.amend(ctx, group, change)
		if err == nil || ctx.Err() != nil || errors.Is(err, journal.ErrTakenOver) {
			return
		}
		if !warned {
			warned = true
			g.host.Post(func() { g.warn(step, "its slot in group "+group+" can't be released yet: "+err.Error()) })
		}
		if status := apierrors.APIStatus(nil); !errors.As(err, &status) {
			return // the annotations of the Lease can't be read: another request would fail as well
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// Linger notes that a pod may still run although its attempt has ended. Its slots are released when the pod has ended.
func (g *Groups) Linger(pod string, uid types.UID, slots []engine.Slot) {
	if len(slots) > 0 {
		g.lingers[pod] = &linger{uid: uid, slots: slots}
	}
}

// Pod handles a change of a pod of the run that the cluster reports.
func (g *Groups) Pod(p *corev1.Pod, gone bool) {
	l := g.lingers[p.Name]
	if l == nil || l.uid != p.UID {
		return
	}
	if s := podstate.Of(p); !gone && !s.Ends() {
		return
	}
	delete(g.lingers, p.Name)
	for _, s := range l.slots {
		if g.late[s] && !g.lingering(s) {
			delete(g.late, s)
			g.withdraw(s, nil)
		}
	}
}

// Resume takes over the slots that an earlier coordinator held. The Lease may still contain slots that the earlier coordinator
// released according to the run's log: they are removed when no pod of the run in the group is running. listed are the pods of
// the run.
func (g *Groups) Resume(open *engine.Open, listed map[string]*corev1.Pod) {
	held, released := open.Slots()
	for _, s := range held {
		g.held[s] = true
	}
	asked := map[string]bool{} // pods of attempts that continue
	for _, a := range open.Pending() {
		if a, ok := a.(engine.StartAttempt); ok {
			asked[kube.PodName(g.o.JobUID, record.Address(a.Step).SafeName(), a.Attempt)] = true
		}
	}
	byGroup := map[string]map[Member]engine.Slot{}
	for _, s := range released {
		if byGroup[s.Group] == nil {
			byGroup[s.Group] = map[Member]engine.Slot{}
		}
		byGroup[s.Group][g.lease.member(s)] = s
	}
	for group, members := range byGroup {
		running := g.running(listed, group, asked)
		for _, p := range running {
			if g.lingers[p.Name] == nil {
				g.lingers[p.Name] = &linger{uid: p.UID}
			}
		}
		stale := func(m Member) bool {
			m.Since = time.Time{}
			_, was := members[m]
			return was
		}
		g.releasing.Add(1)
		g.host.Async(func(ctx context.Context) func() {
			defer g.releasing.Done()
			var found []Member
			g.remove(ctx, group, "", func(r *entries) {
				found = nil
				for _, m := range append(slices.Clone(r.holders), r.queue...) {
					if stale(m) {
						found = append(found, m)
					}
				}
				if len(running) == 0 {
					r.holders, r.queue = slices.DeleteFunc(r.holders, stale), slices.DeleteFunc(r.queue, stale)
				}
			})
			if len(running) == 0 || len(found) == 0 {
				return nil
			}
			return func() { g.linger(running, members, found) }
		})
	}
}

// linger keeps slots until the pods that may use them have ended.
func (g *Groups) linger(pods []*corev1.Pod, slots map[Member]engine.Slot, members []Member) {
	for _, m := range members {
		m.Since = time.Time{}
		s := slots[m]
		for _, p := range pods {
			if l := g.lingers[p.Name]; l != nil { // else the pod has ended in the meantime
				l.slots = append(l.slots, s)
			}
		}
		if g.lingering(s) {
			g.late[s] = true
		} else {
			g.withdraw(s, nil)
		}
	}
}

// running returns the running pods in a group whose attempts have ended according to the run's log.
func (g *Groups) running(listed map[string]*corev1.Pod, group string, asked map[string]bool) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range listed {
		s := podstate.Of(p)
		if _, in := p.Labels[Label(g.o.Project, group)]; in && !s.Ends() && !asked[p.Name] {
			out = append(out, p)
		}
	}
	return out
}

// releaseTimeout limits how long the end of a run waits until its slots are released.
const releaseTimeout = 30 * time.Second

// Settle waits until all slots are released, for a limited time. It is called before the run ends, because waiters notice the
// release of a slot sooner than the end of its run.
func (g *Groups) Settle(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		g.releasing.Wait()
		close(done)
	}()
	t := time.NewTimer(releaseTimeout)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	case <-ctx.Done():
	}
}
