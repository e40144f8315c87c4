package groups

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/schema/kube"
)

func deadKey(uid, group string) string { return uid + "/" + group }

// departed reports whether a member of a group can no longer use its slot: its Job is gone or finished, its coordinator, which
// could create a pod, has ended, and no pod of its run in the group is running. Time alone proves nothing: an object that can't
// be read may still exist.
func (l *leases) departed(ctx context.Context, m *Member, group string) bool {
	ctx, cancel := context.WithTimeout(ctx, requests.Timeout)
	defer cancel()
	job, err := l.o.Client.GetJob(ctx, m.Run)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return false
	case err == nil && string(job.UID) == m.UID && !finished(job):
		return false
	}
	for _, selector := range []string{
		batchv1.ControllerUidLabel + "=" + m.UID,
		kube.LabelRunUID + "=" + m.UID + "," + Label(l.o.Project, group),
	} {
		pods, err := l.o.Client.ListPods(ctx, selector)
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

// Label returns the key of the label of pods in a group.
func Label(project, group string) string {
	return kube.LabelGroup + kube.GroupDigest(project, group)
}

func finished(job *batchv1.Job) bool {
	for _, c := range job.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return true
		}
	}
	return false
}

// watchMembers watches the Jobs of all holders while w waits, to find out when a holder has departed.
func (g *Groups) watchMembers(w *waiter, holders []Member) {
	there := map[string]bool{}
	for _, m := range holders {
		there[m.UID] = true
		if m.UID == g.o.JobUID || w.jobs[m.UID] != nil || g.dead[deadKey(m.UID, w.slot.Group)] {
			continue
		}
		ctx, stop := context.WithCancel(context.Background())
		w.jobs[m.UID] = stop
		g.host.Async(func(run context.Context) func() {
			defer stop()
			defer context.AfterFunc(run, stop)()
			if !g.lease.awaitDeparture(ctx, &m, w.slot.Group) {
				return nil
			}
			return func() {
				g.dead[deadKey(m.UID, w.slot.Group)] = true
				if g.waits[w.slot] == w {
					g.look(w)
				}
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

// The pauses between the queries for the remaining pods of a run whose Job has ended.
const (
	departFirst = 2 * time.Second
	departLast  = 15 * time.Second
)

// awaitDeparture waits until a member has departed. It returns false if ctx ended first.
func (l *leases) awaitDeparture(ctx context.Context, m *Member, group string) bool {
	watching, stop := context.WithCancel(ctx)
	seen := false
	l.o.Client.WatchJob(watching, m.Run, kubeclient.Watcher[*batchv1.Job]{
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
	if l.o.Pace > 0 {
		wait = l.o.Pace
	}
	for ctx.Err() == nil {
		if l.departed(ctx, m, group) {
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
