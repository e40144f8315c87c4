package world

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// Run is one run of a simulation.
type Run struct {
	Name    string           // of the run, and of its Job
	Program *program.Program // bound to a cluster
	Encoded []byte           // the same
	// After is when the run starts, counted from the start of the simulation.
	After time.Duration
	// Annotations are those of the Job.
	Annotations map[string]string
	// Script returns what becomes of a pod. made is how many pods the attempt has had with this one.
	Script func(step string, attempt, made int) Script
	// Commands are what users do.
	Commands []Command
}

// run is a run with its Job and its coordinators. The mutex of its World guards its last fields.
type run struct {
	Run
	w     *World
	other string // the name of the run in points; "": it is the first one
	job   types.UID

	// guarded by w.mu
	gone     bool         // the Job was deleted
	fired    map[int]bool // the commands that were executed
	lives    []*coordinator
	replaced int // how often a coordinator was replaced
}

// newRun creates the Job of a run.
func (w *World) newRun(r Run, first bool) *run {
	out := &run{Run: r, w: w, fired: map[int]bool{}}
	if !first {
		out.other = r.Name
	}
	out.job = w.API.Put(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: r.Name, Namespace: Namespace, UID: types.UID("job-" + r.Name), Annotations: r.Annotations, CreationTimestamp: metav1.Now(),
	}})
	return out
}

// note records something that happens to the run.
func (r *run) note(e history.Event) {
	e.Run = r.Name
	r.w.History.Add(e)
}

// title returns the name of a process or a pod of the run: those of the first run have no prefix.
func (r *run) title(name string) string {
	if r.other == "" {
		return name
	}
	return r.other + "-" + name
}

// point numbers a call, and returns the fault that is planned for it.
func (r *run) point(who, verb, object string) (plan.Point, plan.Mode, bool) {
	w, p := r.w, plan.Point{Run: r.other, Who: who, Verb: verb, Object: object}
	w.mu.Lock()
	w.nth[p]++
	p.N = w.nth[p]
	w.Calls = append(w.Calls, p)
	endless := len(w.Calls) == maxCalls
	w.mu.Unlock()
	if endless {
		w.stop()
	}
	for _, f := range w.Cell.Faults {
		if f.At == p {
			m, ok := plan.Find(f.Mode)
			if ok {
				w.mu.Lock()
				w.done[f] = true
				w.mu.Unlock()
				r.note(history.Event{Who: r.title(who), What: history.Faulted, Text: f.String()})
			}
			return p, m, ok
		}
	}
	return p, plan.Mode{}, false
}

func (r *run) isGone() bool {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.gone
}
