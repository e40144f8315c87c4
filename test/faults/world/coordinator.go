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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// Coordinate runs coordinators in the pod of this number until one has ended the run. It is what the Job's controller and a
// kubelet do.
func (w *World) Coordinate(ctx context.Context, number int) {
	pod := fmt.Sprintf("coordinator-%d", number)
	uid := w.host(pod)
	for life := 1; ctx.Err() == nil && !w.isGone(); life++ {
		c, end, err := w.live(ctx, pod, uid, life)
		var no *drive.Refusal
		switch {
		case err == nil:
			w.History.Add(history.Event{Who: c.name, What: history.Stopped, Text: "the run has ended: " + string(end.Status)})
			return
		case errors.As(err, &no):
			w.History.Add(history.Event{Who: c.name, What: history.Stopped, Text: "refused: " + err.Error()})
			return
		}
		w.History.Add(history.Event{Who: c.name, What: history.Stopped, Text: err.Error()})
		if c.done {
			return
		}
		if c.next != "" {
			w.API.Remove("pods", pod)
			pod = c.next
			uid = w.host(pod)
		}
		w.pause(ctx, restartDelay, pod+" starts")
	}
}

// host creates a pod for coordinators, and returns its UID.
func (w *World) host(pod string) types.UID {
	return w.API.Put(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: Namespace, UID: types.UID(pod)}, Status: corev1.PodStatus{Phase: corev1.PodRunning},
	})
}

// live is the life of one coordinator.
func (w *World) live(ctx context.Context, pod string, uid types.UID, life int) (*coordinator, *record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &coordinator{pod: pod, stop: stop}
	c.client = &client{w: w, kind: plan.Coordinator, name: fmt.Sprintf("%s.%d", pod, life), strike: c.strike}
	w.mu.Lock()
	w.lives = append(w.lives, c)
	w.mu.Unlock()
	w.History.Add(history.Event{Who: c.name, What: history.Begun})
	api, err := c.kube()
	if err != nil {
		return c, nil, err
	}
	end, err := kube.Coordinate(ctx, kube.Options{
		Client: api, Store: c.bucket(), Program: w.Encoded, Namespace: Namespace, Job: w.Run, JobUID: string(w.job),
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

// Write records the warnings among the lines.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range bytes.Lines(p) {
		var e record.Event
		if json.Unmarshal(line, &e) == nil && e.Type == record.Warned {
			o.c.w.History.Add(history.Event{Who: o.c.name, What: history.Told, Step: e.Step, Text: e.Text})
		}
	}
	return len(p), nil
}
