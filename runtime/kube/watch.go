package kube

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/schema/kube"
)

// watches are the watches of the run's pods and of its Job. They are owned by the loop.
type watches struct {
	d     *driver
	blind map[string]bool // the resources that can't be watched at the moment, about which the coordinator has warned
}

// start starts the watches. If pods of an earlier coordinator may exist, it returns after they were listed.
func (w *watches) start(ctx context.Context) error {
	d, synced := w.d, make(chan struct{})
	d.async(func(ctx context.Context) func() {
		d.client.WatchPods(ctx, kube.LabelRunUID+"="+d.o.JobUID, kubeclient.Watcher[*corev1.Pod]{
			Changed: func(p *corev1.Pod) { d.post(func() { w.podChanged(p) }) },
			Gone:    func(p *corev1.Pod) { d.post(func() { w.podGone(p) }) },
			Listed: func(there map[string]types.UID) {
				d.post(func() { d.attempts.relisted(there) })
			},
			Synced: func() { close(synced) },
			Fault:  func(err error) { d.post(func() { w.fault("pods", err) }) },
		})
		return nil
	})
	d.async(func(ctx context.Context) func() {
		d.client.WatchJob(ctx, d.o.Job, kubeclient.Watcher[*batchv1.Job]{
			Changed: func(j *batchv1.Job) { d.post(func() { d.commands.changed(j) }) },
			Gone:    func(*batchv1.Job) {},
			Fault:   func(err error) { d.post(func() { w.fault("jobs", err) }) },
		})
		return nil
	})
	if !d.resumed {
		return nil
	}
	for {
		select {
		case <-synced:
			d.drain() // the existing pods are in the inbox
			return nil
		case f := <-d.inbox:
			f()
		case <-ctx.Done():
			return ErrStopped
		}
	}
}

// podChanged handles a change of a pod of the run that the cluster reports.
func (w *watches) podChanged(p *corev1.Pod) {
	w.d.groups.Pod(p, false)
	w.d.attempts.podChanged(p)
}

// podGone handles that a pod of the run no longer exists.
func (w *watches) podGone(p *corev1.Pod) {
	w.d.groups.Pod(p, true)
	w.d.attempts.podGone(p)
}

// fault warns that a resource can't be watched, once for each interruption. err is nil when the watch works again.
func (w *watches) fault(what string, err error) {
	switch {
	case err != nil && !w.blind[what]:
		w.blind[what] = true
		w.d.warn("", fmt.Sprintf("the coordinator can't watch its %s: %s", what, err))
	case err == nil && w.blind[what]:
		delete(w.blind, what)
	}
}
