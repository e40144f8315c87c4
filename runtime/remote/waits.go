package remote

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/record"
)

const (
	// reportAfter is how long a pod may take to start before the wait is reported.
	reportAfter = 5 * time.Second
	// repeatEvery is how often a wait that continues is reported again.
	repeatEvery = time.Minute
	// queryEvery is how often the cluster's events about an object are queried.
	queryEvery = 15 * time.Second
)

// jobWait and clusterWait are the keys of waits that are not for a pod. Those for pods have the pods' UIDs as keys.
const (
	jobWait     = "job"
	clusterWait = "cluster"
)

// wait is the reason why a step, or the run, does not continue.
type wait struct {
	step      string // "": the run
	subject   string // for example "pod x"
	reason    waitReason
	warning   string // from the cluster's events
	since     time.Time
	reported  time.Time // zero: not reported
	changed   bool      // since it was reported
	queried   time.Time // when the cluster's events were last queried
	kind, uid string    // the object of these events
}

func (w *wait) text() string {
	text := w.subject + ": " + w.reason.String()
	if w.warning != "" {
		text += " (" + w.warning + ")"
	}
	return text
}

// waits reports what the pods and the Job of a run wait for. Owned by the loop goroutine.
type waits struct {
	loop    *loop
	cluster *Client
	run     string
	observe func(record.Event)

	byKey  map[string]*wait
	byStep map[string]map[string]bool // keys by step
}

func newWaits(l *loop, c *Client, run string, observe func(record.Event)) *waits {
	return &waits{loop: l, cluster: c, run: run, observe: observe, byKey: map[string]*wait{}, byStep: map[string]map[string]bool{}}
}

// review begins or ends the wait for a pod. step is "" for a coordinator.
func (ws *waits) review(step string, p *corev1.Pod, container string) {
	reason, ok := reasonOf(p, container)
	if !ok || p.DeletionTimestamp != nil {
		ws.end(string(p.UID))
		return
	}
	since := p.CreationTimestamp.Time
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue && !c.LastTransitionTime.IsZero() {
			since = c.LastTransitionTime.Time
		}
	}
	if now := time.Now(); since.IsZero() || since.After(now) { // the clocks differ
		since = now
	}
	ws.begin(string(p.UID), wait{step: step, subject: "pod " + p.Name, reason: reason, since: since, kind: "Pod", uid: string(p.UID)})
}

// begin notes a wait. If the reason of a reported wait changes, the new one is reported at once.
func (ws *waits) begin(key string, w wait) {
	if old := ws.byKey[key]; old != nil {
		if old.reason.name == w.reason.name {
			old.reason = w.reason
			return
		}
		w.reported, w.changed = old.reported, true
	}
	ws.byKey[key] = &w
	if w.step != "" {
		if ws.byStep[w.step] == nil {
			ws.byStep[w.step] = map[string]bool{}
		}
		ws.byStep[w.step][key] = true
	}
	ws.report(&w)
}

// end notes that a wait has ended. The observer receives that if it received the wait.
func (ws *waits) end(key string) {
	w := ws.byKey[key]
	if w == nil {
		return
	}
	delete(ws.byKey, key)
	if delete(ws.byStep[w.step], key); len(ws.byStep[w.step]) == 0 {
		delete(ws.byStep, w.step)
	}
	if !w.reported.IsZero() {
		ws.observe(record.Event{Version: record.Version, Type: record.StepWaiting, At: time.Now().UTC(), Run: ws.run, Step: w.step})
	}
}

// endStep ends the waits of a step.
func (ws *waits) endStep(step string) {
	for key := range ws.byStep[step] {
		ws.end(key)
	}
}

// report passes a wait to the observer if it lasts, or won't end by itself. A reported wait is repeated from time to time.
func (ws *waits) report(w *wait) {
	now := time.Now()
	if w.reported.IsZero() {
		if !w.reason.lasting && now.Sub(w.since) < reportAfter {
			return
		}
	} else if !w.changed && now.Sub(w.reported) < repeatEvery {
		return
	}
	w.reported, w.changed = now, false
	ws.observe(record.Event{
		Version: record.Version, Type: record.StepWaiting, At: w.since.UTC(), Run: ws.run, Step: w.step, Reason: w.reason.name, Text: w.text(),
	})
}
