package kube

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// linger is a pod that runs, as far as is known, though its attempt counts as ended: its node is out of reach. Its places
// are left when it has gone.
type linger struct {
	uid   types.UID
	holds []engine.Hold
}

// leave gives a place back, or stops asking for it.
func (g *groups) leave(h engine.Hold) {
	if w := g.waits[h]; w != nil {
		w.gone = true
		g.done(w)
		g.release(h, w.tried)
		return
	}
	if !g.held[h] {
		return
	}
	delete(g.held, h)
	if g.lingering(h) {
		g.late[h] = true
		return
	}
	g.release(h, nil)
}

func (g *groups) lingering(h engine.Hold) bool {
	for _, l := range g.lingers {
		for _, other := range l.holds {
			if other == h {
				return true
			}
		}
	}
	return false
}

// release takes the run out of a group's roster, when the run's log says why: else a coordinator that takes over would
// believe that it is in. Whoever looks for a place still, has done so when after is closed: it might take one.
func (g *groups) release(h engine.Hold, after <-chan struct{}) {
	me := g.d.member(h)
	g.leaving.Add(1)
	g.d.async(func(ctx context.Context) func() {
		defer g.leaving.Done()
		if after != nil {
			<-after
		}
		if !g.d.logged(ctx) {
			return nil // the run is another coordinator's by now: what is held is its
		}
		_, _, err := g.d.amend(ctx, h.Group, func(r *roster) {
			r.holders, r.waiting = drop(r.holders, me.is), drop(r.waiting, me.is)
		})
		if err == nil || ctx.Err() != nil {
			return nil
		}
		return func() {
			g.d.warn(h.Step, "its place in the group "+h.Group+" can't be given back before the run ends: "+err.Error())
		}
	})
}

// logged waits until all that has happened so far is in the run's log; false where that can't be any more.
func (d *driver) logged(ctx context.Context) bool {
	wait := d.requests.backOff()
	for {
		err := d.journal.Flush()
		if err == nil {
			return ctx.Err() == nil
		}
		if errors.Is(err, ErrTakenOver) {
			return false
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return false
		}
	}
}

// settled notes that an attempt has ended, and that its pod may not have.
func (g *groups) settled(a *attempt) {
	if a.pod.uid != "" && !a.pod.gone && !a.pod.state.Ends() && len(a.spec.Holds) > 0 {
		g.lingers[a.name] = &linger{uid: a.pod.uid, holds: a.spec.Holds}
	}
}

// pod takes in how a pod stands whose attempt has ended.
func (g *groups) pod(p *corev1.Pod, gone bool) {
	l := g.lingers[p.Name]
	if l == nil || l.uid != p.UID {
		return
	}
	if s := podstate.Of(p); !gone && !s.Ends() {
		return
	}
	delete(g.lingers, p.Name)
	for _, h := range l.holds {
		if g.late[h] && !g.lingering(h) {
			delete(g.late, h)
			g.release(h, nil)
		}
	}
}

// resume takes over what a coordinator before this one has held. What it has left, by the run's log, and perhaps did not
// come to give back, is given back when no pod runs any more that is in it.
func (g *groups) resume(open *engine.Open) {
	held, left := open.Holds()
	for _, h := range held {
		g.held[h] = true
	}
	asked := map[string]bool{} // pods of attempts that go on
	for _, a := range open.Actions() {
		if a, ok := a.(engine.StartAttempt); ok {
			asked[kube.PodName(g.d.o.JobUID, record.Address(a.Step).SafeName(), a.Attempt)] = true
		}
	}
	byGroup := map[string]map[member]engine.Hold{}
	for _, h := range left {
		if byGroup[h.Group] == nil {
			byGroup[h.Group] = map[member]engine.Hold{}
		}
		byGroup[h.Group][g.d.member(h)] = h
	}
	for group, members := range byGroup {
		running := g.running(group, asked)
		for _, p := range running {
			if g.lingers[p.Name] == nil {
				g.lingers[p.Name] = &linger{uid: p.UID}
			}
		}
		stale := func(m member) bool {
			m.Since = time.Time{}
			_, was := members[m]
			return was
		}
		g.leaving.Add(1)
		g.d.async(func(ctx context.Context) func() {
			defer g.leaving.Done()
			var found []member
			_, _, _ = g.d.amend(ctx, group, func(r *roster) { // without an answer: as it stands until the run's end
				found = nil
				for _, m := range append(slices.Clone(r.holders), r.waiting...) {
					if stale(m) {
						found = append(found, m)
					}
				}
				if len(running) == 0 {
					r.holders, r.waiting = slices.DeleteFunc(r.holders, stale), slices.DeleteFunc(r.waiting, stale)
				}
			})
			if len(running) == 0 || len(found) == 0 {
				return nil
			}
			return func() { g.linger(running, members, found) }
		})
	}
}

// linger keeps places until the pods have gone that may be in them.
func (g *groups) linger(pods []*corev1.Pod, holds map[member]engine.Hold, members []member) {
	for _, m := range members {
		m.Since = time.Time{}
		h := holds[m]
		for _, p := range pods {
			if l := g.lingers[p.Name]; l != nil { // else it has gone since
				l.holds = append(l.holds, h)
			}
		}
		if g.lingering(h) {
			g.late[h] = true
		} else {
			g.release(h, nil)
		}
	}
}

// running are the pods of the run that are in a group and run, of attempts that the log says have ended.
func (g *groups) running(group string, asked map[string]bool) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range g.d.attempts.listed {
		s := podstate.Of(p)
		if _, in := p.Labels[g.d.groupLabel(group)]; in && !s.Ends() && !asked[p.Name] {
			out = append(out, p)
		}
	}
	return out
}

// leaveTimeout bounds how long the end of a run waits for its places to be given back.
const leaveTimeout = 30 * time.Second

// settle waits until what is to be given back is, before the run ends: nobody need find out then that it has.
func (g *groups) settle(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		g.leaving.Wait()
		close(done)
	}()
	t := time.NewTimer(leaveTimeout)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	case <-ctx.Done():
	}
}
