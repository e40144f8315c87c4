package remote

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/kube"
)

// coordinators reads the events of a run from the logs of its coordinators, which follow one another. Owned by the loop
// goroutine.
type coordinators struct {
	loop      *loop
	cluster   *Client
	timeline  *timeline
	waits     *waits
	sync      func() // reads the records
	forbidden func(resource string, err error)

	byPod     map[types.UID]*coordinator
	lastLines *lastLines
}

func newCoordinators(l *loop, c *Client, t *timeline, w *waits) *coordinators {
	return &coordinators{loop: l, cluster: c, timeline: t, waits: w, byPod: map[types.UID]*coordinator{}, lastLines: &lastLines{}}
}

// known reports whether a coordinator has started.
func (cs *coordinators) known() bool { return len(cs.byPod) > 0 }

// podChanged handles the state of a coordinator's pod.
func (cs *coordinators) podChanged(p *corev1.Pod) {
	cs.waits.end(jobWait)
	cs.waits.review("", p, kube.ContainerCoordinator)
	state := &coordinatorState{over: p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed || p.DeletionTimestamp != nil}
	if s := containerStatus(p, kube.ContainerCoordinator); s != nil {
		state.restarts, state.started = s.RestartCount, s.State.Running != nil || s.State.Terminated != nil
	}
	c := cs.byPod[p.UID]
	if c != nil {
		if before := c.set(state); before.restarts != state.restarts && state.started {
			cs.sync()
		}
		return
	}
	if !state.started {
		return
	}
	if cs.known() || state.restarts > 0 {
		cs.sync() // the log of the previous coordinator may lack its last events
	}
	c = &coordinator{parent: cs, pod: p.Name, wake: make(chan struct{}, 1)}
	c.state.Store(state)
	cs.byPod[p.UID] = c
	cs.loop.spawn(func() { c.run(cs.loop.ctx) })
}

func (cs *coordinators) podGone(p *corev1.Pod) {
	cs.waits.end(string(p.UID))
	if c := cs.byPod[p.UID]; c != nil {
		state := *c.state.Load()
		state.over = true
		c.set(&state)
	}
}

// maxLastLines is how many lines lastLines keeps.
const maxLastLines = 5

// lastLines are the last lines of the coordinators' logs that are not events. They are shown if the run is lost.
type lastLines struct{ lines []string }

func (l *lastLines) add(text string) {
	if text == "" {
		return
	}
	if l.lines = append(l.lines, text); len(l.lines) > maxLastLines {
		l.lines = l.lines[1:]
	}
}
