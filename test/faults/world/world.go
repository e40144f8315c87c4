// Package world simulates a cluster with its store around the real coordinator and the real wrapper, in a bubble of
// testing/synctest: an API server (runtime/kubeclient/kubetest), nodes that run pods by scripts, a bucket in memory, and
// networks that fail as a plan.Cell says. What happens goes into a history.History.
//
// Everything that happens has an instant of its own on the bubble's clock, which follows from the cell's seed. So exactly one
// goroutine is woken at a time, and the clock is the scheduler: the same cell leads to the same history.
//
// The package decides nothing about what is right: test/faults/check does.
package world

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// maxCalls is how many calls the runs may send: more are an endless loop.
const maxCalls = 20_000

// Namespace is where all runs are.
const Namespace = "ns"

// Options are what a world is built from.
type Options struct {
	Cell plan.Cell
	// Runs are the runs that share the cluster and the store. There is at least one.
	Runs []Run
	// Store is what is in the store before.
	Store map[string][]byte
	// Dir is an empty directory for the files of steps.
	Dir string
	// Server returns the API server, which calls kubelet with each pod that a coordinator creates; nil: one in memory.
	Server func(t *testing.T, kubelet func(corev1.Pod)) Server
	// Environ is the environment of the wrapper.
	Environ *step.Inherited
}

// World is one simulation. It is used by one test, inside a bubble.
type World struct {
	Options
	History *history.History
	API     Server
	Objects *Objects // in the store
	Calls   []plan.Point

	clock   *clock
	runs    []*run
	ctx     context.Context // of the coordinators
	stop    context.CancelFunc
	working sync.WaitGroup // coordinators

	mu     sync.Mutex
	nth    map[plan.Point]int  // the calls so far, by their names
	done   map[plan.Fault]bool // the faults that have taken place
	pods   map[string]pod      // all pods of steps, by name
	nodes  map[types.UID]*node // of the pods that exist
	maker  map[string]string   // who creates a pod, by its name
	made   map[string]int      // how many pods an attempt has had, by the name of its pods
	away   time.Time           // until when the store can't be reached
	denied time.Time           // until when the store refuses everybody
}

// pod is what is known of the pod of an attempt.
type pod struct {
	run     *run
	step    string
	attempt int
	groups  []string
}

// New returns a world in which nothing happens yet.
func New(t *testing.T, o Options) *World {
	w := &World{
		Options: o, History: history.New(), Objects: NewObjects(o.Store), clock: newClock(o.Cell.Seed),
		nth: map[plan.Point]int{}, done: map[plan.Fault]bool{}, pods: map[string]pod{}, nodes: map[types.UID]*node{}, made: map[string]int{}, maker: map[string]string{},
	}
	if o.Server == nil {
		w.API = newSimulated(t, o.Cell.Seed%2 == 0, w.kubelet)
	} else {
		w.API = o.Server(t, w.kubelet)
	}
	for i, r := range o.Runs {
		w.runs = append(w.runs, w.newRun(r, i == 0))
	}
	return w
}

// Play plays all runs to their ends, or for a limited time, and then waits until everything has come to rest. It reports
// whether the runs have ended.
func (w *World) Play(ctx context.Context, limit, rest time.Duration) bool {
	w.ctx, w.stop = context.WithTimeout(ctx, limit)
	defer w.stop()
	for _, r := range w.runs {
		w.working.Go(func() {
			if r.After == 0 || w.pause(w.ctx, r.After, r.Name+" starts") {
				r.commands("")
				r.coordinate(w.ctx, 1)
			}
		})
	}
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

// Missed returns the faults whose calls have not been sent.
func (w *World) Missed() []plan.Fault {
	var out []plan.Fault
	for _, f := range w.Cell.Faults {
		if !w.done[f] {
			out = append(out, f)
		}
	}
	return out
}

// describe remembers the pod of an attempt, and returns what is known of it.
func (w *World) describe(p *corev1.Pod) pod {
	out := pod{step: p.Annotations[kube.AnnotationStep]}
	for _, r := range w.runs {
		if string(r.job) == p.Labels[kube.LabelRunUID] {
			out.run = r
		}
	}
	_ = json.Unmarshal([]byte(p.Labels[kube.LabelAttempt]), &out.attempt)
	for label, group := range p.Labels {
		if strings.HasPrefix(label, kube.LabelGroup) {
			out.groups = append(out.groups, group)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pods[p.Name] = out
	return out
}

// name returns the step and the attempt, as points name a pod.
func (p pod) name() string { return p.step + "." + strconv.Itoa(p.attempt) }

// note records something that happens to the pod.
func (p pod) note(who string, what history.What, uid types.UID) {
	p.run.note(history.Event{Who: who, What: what, Step: p.step, Attempt: p.attempt, Pod: string(uid), Groups: p.groups})
}

// pause waits for about so long, at most until ctx ends, and reports whether it has waited to the end.
func (w *World) pause(ctx context.Context, wait time.Duration, why string) bool {
	return w.clock.sleep(ctx, wait, why)
}
