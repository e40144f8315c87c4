package remote

import (
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// watch starts to watch the run's Job, and the pods of its coordinators and steps.
func (f *follower) watch() {
	exists := false // reports whether the Job existed at the beginning; owned by the watch
	job := kubeclient.Watcher[*batchv1.Job]{
		Changed: func(j *batchv1.Job) {
			exists = exists || string(j.UID) == f.options.UID
			f.call(func() { f.conclusion.jobChanged(j) })
		},
		Gone: func(j *batchv1.Job) { f.call(func() { f.conclusion.jobGone(string(j.UID)) }) },
		Synced: func() {
			if !exists {
				f.call(func() { f.conclusion.jobGone(f.options.UID) })
			}
		},
		Fault: f.faultOf("jobs"),
	}
	f.spawn(func() { f.cluster.client.WatchJob(f.ctx, f.options.Name, job) })
	f.watchPods(batchv1.ControllerUidLabel, f.coordinators.podChanged, f.coordinators.podGone)
	f.watchPods(kube.LabelRunUID, f.podChanged, f.podGone)
	if f.options.Late {
		f.records.sync()
	}
}

// watchPods watches the pods that have the UID of the run's Job in a label.
func (f *follower) watchPods(label string, changed, gone func(*corev1.Pod)) {
	f.spawn(func() {
		f.cluster.client.WatchPods(f.ctx, label+"="+f.options.UID, kubeclient.Watcher[*corev1.Pod]{
			Changed: func(p *corev1.Pod) { f.call(func() { changed(p) }) },
			Gone:    func(p *corev1.Pod) { f.call(func() { gone(p) }) },
			Fault:   f.faultOf("pods"),
		})
	})
}

// faultOf returns a function that handles the faults of a watch, and that it works again.
func (f *follower) faultOf(resource string) func(error) {
	return func(err error) {
		switch {
		case err == nil:
			f.call(func() { f.waits.end(clusterWait) })
		case apierrors.IsForbidden(err):
			f.call(func() { f.forbidden(resource, err) })
		default:
			since := time.Now()
			f.call(func() {
				f.waits.begin(clusterWait, wait{subject: "the cluster", reason: waitReason{name: "Unreachable", message: explain(err)}, since: since})
			})
		}
	}
}

// missingRights are the resources that the user may not read.
type missingRights map[string]bool

// forbidden notes that a right is missing, and warns once. The events that can't be seen are then read from the run's
// records, every few seconds.
func (f *follower) forbidden(resource string, err error) {
	if f.missing[resource] {
		return
	}
	f.missing[resource] = true
	effect := map[string]string{
		"pods":     "pods can't be watched: the reasons for waiting are not shown, and logs are read from the store, with a delay of some seconds",
		"pods/log": "the logs of pods can't be read: lines are read from the store, with a delay of some seconds",
		"jobs":     "jobs can't be watched: a lost run is not detected",
	}[resource]
	f.timeline.warn(effect + ": " + explain(err))
	f.records.sync()
}

// logFailed handles an error of reading a log.
func (f *follower) logFailed(id record.AttemptID, err error, unread bool) {
	switch {
	case apierrors.IsForbidden(err):
		f.forbidden("pods/log", err)
	case unread && !errors.Is(err, store.ErrNotExist):
		f.timeline.warn(fmt.Sprintf("the end of the log of step %s, attempt %d, can't be read: %s", id.Step, id.Attempt, explain(err)))
	}
}
