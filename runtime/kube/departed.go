package kube

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/schema/kube"
)

func deadKey(uid, group string) string { return uid + "/" + group }

// departed says whether nothing is left of a member of a group: its Job is gone or finished, its coordinator runs no more,
// which could make a pod, and no pod of it runs that is in the group. Time says nothing: what can't be seen may be there.
func (d *driver) departed(ctx context.Context, m *member, group string) bool {
	job, err := d.client.GetJob(ctx, m.Run)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return false
	case err == nil && string(job.UID) == m.UID && !finished(job):
		return false
	}
	for _, selector := range []string{
		batchv1.ControllerUidLabel + "=" + m.UID,
		kube.LabelRunUID + "=" + m.UID + "," + d.groupLabel(group),
	} {
		pods, err := d.client.ListPods(ctx, selector)
		if err != nil {
			return false
		}
		for i := range pods {
			if phase := pods[i].Status.Phase; phase != corev1.PodSucceeded && phase != corev1.PodFailed {
				return false
			}
		}
	}
	return true
}

// groupLabel is the key of the label of pods that are in a group.
func (d *driver) groupLabel(group string) string {
	return kube.LabelGroup + kube.GroupDigest(d.program.Project, group)
}

func finished(job *batchv1.Job) bool {
	for _, c := range job.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return true
		}
	}
	return false
}

// watchMembers sees to it that the end of a run is told that holds a place and can't leave it any more: its Job is
// watched, for as long as it is waited for.
func (g *groups) watchMembers(w *waiter, holders []member) {
	there := map[string]bool{}
	for _, m := range holders {
		there[m.UID] = true
		if m.UID == g.d.o.JobUID || w.jobs[m.UID] != nil || g.dead[deadKey(m.UID, w.hold.Group)] {
			continue
		}
		ctx, stop := context.WithCancel(g.d.ctx)
		w.jobs[m.UID] = stop
		g.d.working.Go(func() {
			defer stop()
			if g.d.awaitDeparture(ctx, &m, w.hold.Group) {
				g.d.post(func() {
					g.dead[deadKey(m.UID, w.hold.Group)] = true
					if g.waits[w.hold] == w {
						g.look(w)
					}
				})
			}
		})
	}
	for uid, stop := range w.jobs {
		if !there[uid] {
			stop()
			delete(w.jobs, uid)
		}
	}
}

// How often a run whose Job has ended is looked at, while pods of it are left.
const (
	departFirst = 2 * time.Second
	departLast  = 15 * time.Second
)

// awaitDeparture waits until nothing is left of a member; false where ctx ends first.
func (d *driver) awaitDeparture(ctx context.Context, m *member, group string) bool {
	watching, stop := context.WithCancel(ctx)
	seen := false
	d.client.WatchJob(watching, m.Run, kubeclient.Watcher[*batchv1.Job]{
		Changed: func(j *batchv1.Job) {
			if seen = true; string(j.UID) != m.UID || finished(j) {
				stop()
			}
		},
		Gone: func(*batchv1.Job) { stop() },
		Synced: func() {
			if !seen {
				stop()
			}
		},
	})
	stop()
	wait := departFirst
	if d.o.pace > 0 {
		wait = d.o.pace
	}
	for ctx.Err() == nil {
		if d.departed(ctx, m, group) {
			return true
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		wait = min(2*wait, departLast)
	}
	return false
}
