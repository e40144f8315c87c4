package remote

import (
	"context"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

const (
	// patience is how long a pod may take to start before that is told.
	patience = 5 * time.Second
	// remind is how often a wait that goes on is told again.
	remind = time.Minute
	// lookEvery is how often the cluster's events are asked what a pod waits for.
	lookEvery = 15 * time.Second
	// lateAfter is the age of a container whose log is not taken to be at its start any more.
	lateAfter = 10 * time.Second
)

// jobWait and clusterWait are the keys of waits that no pod has.
const (
	jobWait     = "job"
	clusterWait = "cluster"
)

// waiting is what a step, or the run, waits for.
type waiting struct {
	step     string
	what     string // "pod x"
	wants    wants
	more     string // what the cluster's events say
	since    time.Time
	told     time.Time // zero: it was not
	looked   time.Time
	kind, of string // the object that the cluster's events are about: kind, UID
}

func (w *waiting) text() string {
	text := w.what + ": " + w.wants.String()
	if w.more != "" {
		text += " (" + w.more + ")"
	}
	return text
}

// podChanged takes in the state of a step's pod.
func (f *follower) podChanged(p *pod) {
	id, ok := identity(p)
	if !ok {
		return
	}
	f.considerPod(id.Step, p, kube.ContainerMain)
	start := begun(p, kube.ContainerMain)
	if start.IsZero() || !f.wanted(id) {
		return
	}
	s := f.step(id.Step)
	if s.shown[id.Attempt] || s.ended {
		return
	}
	a := s.attempts[id.Attempt]
	if a == nil {
		a = f.newAttempt(id, p.Name, f.now().Sub(start) > lateAfter)
	}
	if terminated(p, kube.ContainerMain) != nil {
		a.terminated.Store(true)
	}
}

func (f *follower) podGone(p *pod) {
	f.noWait(string(p.UID))
	if id, ok := identity(p); ok {
		if a := f.step(id.Step).attempts[id.Attempt]; a != nil && a.pod == p.Name {
			a.terminated.Store(true)
		}
	}
}

// identity is the attempt that a pod was made for.
func identity(p *pod) (record.AttemptID, bool) {
	name := p.Annotations[kube.AnnotationStep]
	if name == "" {
		name = p.Labels[kube.LabelStep]
	}
	n, err := strconv.Atoi(p.Labels[kube.LabelAttempt])
	return record.AttemptID{Step: name, Attempt: n}, err == nil && n > 0 && name != ""
}

// considerPod notes what a pod waits for, or that it doesn't.
func (f *follower) considerPod(step string, p *pod, container string) {
	w, ok := waitsFor(p, container)
	if !ok || p.DeletionTimestamp != nil || step != "" && f.step(step).ended {
		f.noWait(string(p.UID))
		return
	}
	since := p.CreationTimestamp.Time
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue && !c.LastTransitionTime.IsZero() {
			since = c.LastTransitionTime.Time
		}
	}
	if f.now().Sub(since) < 0 || since.IsZero() { // the clocks differ
		since = f.now()
	}
	f.waitFor(string(p.UID), waiting{step: step, what: "pod " + p.Name, wants: w, since: since, kind: "Pod", of: string(p.UID)})
}

// waitFor notes a wait. One for another reason than before is told anew.
func (f *follower) waitFor(key string, w waiting) {
	old := f.waits[key]
	if old != nil && old.wants.reason == w.wants.reason {
		old.wants = w.wants
		return
	}
	if old != nil && !old.told.IsZero() {
		w.told = time.Unix(0, 0)
	}
	f.waits[key] = &w
	f.tellWait(&w)
}

// noWait notes that a pod, or all pods of a step, wait no more.
func (f *follower) noWait(key string) {
	for k, w := range f.waits {
		if k != key && (w.step == "" || w.step != key) {
			continue
		}
		delete(f.waits, k)
		if !w.told.IsZero() {
			f.o.Tell(record.Event{Version: record.Version, Type: record.StepWaiting, At: f.now().UTC(), Run: f.o.Name, Step: w.step})
		}
	}
}

// tellWait tells of a wait when it is worth it.
func (f *follower) tellWait(w *waiting) {
	now := f.now()
	switch {
	case w.told.IsZero() && !w.wants.bad && now.Sub(w.since) < patience, !w.told.IsZero() && now.Sub(w.told) < remind:
		return
	}
	w.told = now
	f.o.Tell(record.Event{
		Version: record.Version, Type: record.StepWaiting, At: w.since.UTC(), Run: f.o.Name, Step: w.step,
		Reason: w.wants.reason, Text: w.text(),
	})
}

// ticked tells of what is waited for by now.
func (f *follower) ticked() {
	f.considerJob()
	for key, w := range f.waits {
		f.tellWait(w)
		now := f.now()
		if w.wants.vague && w.kind != "" && now.Sub(w.since) > 2*patience && now.Sub(w.looked) > lookEvery {
			w.looked = now
			kind, of := w.kind, w.of
			f.group.Go(func() {
				text := f.c.lastWarning(f.ctx, kind, of)
				f.call(func() { f.learned(key, text) })
			})
		}
	}
	if len(f.blind) > 0 && f.now().Sub(f.syncedAt) > storeEvery {
		f.sync()
	}
}

// learned takes in what the cluster's events say.
func (f *follower) learned(key, text string) {
	if w := f.waits[key]; w != nil && text != "" && w.more != text {
		w.more = text
		if !w.told.IsZero() {
			w.told = time.Unix(0, 0)
		}
		f.tellWait(w)
	}
}

// harmless are warnings that keep no pod from running.
var harmless = []string{"MissingClusterDNS", "DNSConfigForming"}

// lastWarning is what the newest warning about an object says; "" where there is none, or it may not be read.
func (c *Client) lastWarning(ctx context.Context, kind, uid string) string {
	list, err := c.client.ListEvents(ctx, kind, uid)
	if err != nil {
		return ""
	}
	var newest *corev1.Event
	for i := range list {
		e := &list[i]
		if e.Type == corev1.EventTypeWarning && !slices.Contains(harmless, e.Reason) && (newest == nil || seen(e).After(seen(newest))) {
			newest = e
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Reason + ": " + oneLine(newest.Message)
}

func seen(e *corev1.Event) time.Time {
	if !e.LastTimestamp.IsZero() {
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}
