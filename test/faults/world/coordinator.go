package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/kube"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// coordinator is one process of a coordinator.
type coordinator struct {
	*client
	pod  string
	stop context.CancelFunc
	next string // the pod that the next coordinator runs in; "": the same
	done bool   // it belongs to a pod that has been replaced
}

// restartDelay is how soon a coordinator that has ended is started again.
const restartDelay = 2 * time.Second

// coordinate runs coordinators in the pod of this number until one has ended the run. It is what the Job's controller and a
// kubelet do.
func (r *run) coordinate(ctx context.Context, number int) {
	pod := r.title(fmt.Sprintf("coordinator-%d", number))
	uid := r.host(pod)
	phase := corev1.PodFailed
	defer func() { r.leave(pod, phase) }()
	for life := 1; ctx.Err() == nil && !r.isGone(); life++ {
		c, end, err := r.live(ctx, pod, uid, life)
		var no *drive.Refusal
		switch {
		case err == nil:
			r.note(history.Event{Who: c.name, What: history.Stopped, Text: "the run has ended: " + string(end.Status)})
			if end.Status == record.Succeeded {
				phase = corev1.PodSucceeded
			}
			r.finish(ctx, phase == corev1.PodSucceeded)
			return
		case errors.As(err, &no):
			r.note(history.Event{Who: c.name, What: history.Stopped, Text: "refused: " + err.Error()})
			r.finish(ctx, false)
			return
		}
		r.note(history.Event{Who: c.name, What: history.Stopped, Text: err.Error()})
		if c.done {
			return
		}
		if c.next != "" {
			r.w.API.Remove("pods", pod)
			pod = c.next
			uid = r.host(pod)
		}
		r.w.pause(ctx, restartDelay, pod+" starts")
	}
}

// live is the life of one coordinator.
func (r *run) live(ctx context.Context, pod string, uid types.UID, life int) (*coordinator, *record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &coordinator{pod: pod, stop: stop}
	c.client = &client{w: r.w, run: r, kind: plan.Coordinator, name: fmt.Sprintf("%s.%d", pod, life), strike: c.strike}
	r.w.mu.Lock()
	r.lives = append(r.lives, c)
	r.w.mu.Unlock()
	r.note(history.Event{Who: c.name, What: history.Begun})
	api, err := c.kube()
	if err != nil {
		return c, nil, err
	}
	end, err := kube.Coordinate(ctx, kube.Options{
		Client: api, Store: c.bucket(), Program: r.Encoded, Namespace: Namespace, Job: r.Name, JobUID: string(r.job),
		Pod: pod, PodUID: string(uid), Environ: func(string) (string, bool) { return "", false }, Out: &output{c: c}, Steady: true, Seal: true,
	})
	if c.isDead() {
		return c, nil, errDead
	}
	c.die()
	return c, end, err
}

// output is where a coordinator prints events.
type output struct {
	c  *coordinator
	mu sync.Mutex
}

// told are the kinds of events that are recorded of what a coordinator prints.
var told = map[record.EventType]history.What{record.Warned: history.Told, record.StepWaiting: history.Waiting}

// Write records the warnings among the lines, and what steps wait for.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range bytes.Lines(p) {
		var e record.Event
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		if what, ok := told[e.Type]; ok {
			o.c.run.note(history.Event{Who: o.c.name, What: what, Step: e.Step, Attempt: e.Attempt, Text: e.Text})
		}
	}
	return len(p), nil
}
