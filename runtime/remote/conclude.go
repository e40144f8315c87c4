package remote

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// jobChanged takes in the state of the run's Job.
func (f *follower) jobChanged(j *batchv1.Job) {
	if string(j.UID) != f.o.UID {
		return // a Job of the same name was made meanwhile
	}
	f.job = j
	if verdict, ok := jobEnd(j); ok {
		f.conclude(verdict)
	}
}

func (f *follower) jobGone(uid string) {
	if uid == f.o.UID {
		f.job = nil
		f.conclude("its Job is gone")
	}
}

// jobEnd says how a Job has ended; ok is false where it has not.
func jobEnd(j *batchv1.Job) (verdict string, ok bool) {
	for _, c := range j.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete:
			return "its Job is complete", true
		case batchv1.JobFailed:
			verdict = "its Job has failed: " + c.Reason
			if c.Message != "" {
				verdict += ": " + oneLine(c.Message)
			}
			return verdict, true
		}
	}
	return "", false
}

// considerJob notes that the Job has no pod yet.
func (f *follower) considerJob() {
	switch {
	case f.job == nil || len(f.coordinators) > 0 || f.concluding || f.blind["pods"] != nil || f.job.Status.Active > 0:
		f.noWait(jobWait)
	case f.job.Spec.Suspend != nil && *f.job.Spec.Suspend:
		f.waitFor(jobWait, waiting{what: "job " + f.job.Name, wants: wants{reason: "Suspended", bad: true}, since: f.job.CreationTimestamp.Time})
	case f.anyCoordinatorWaits():
	default:
		f.waitFor(jobWait, waiting{
			what: "job " + f.job.Name, wants: wants{reason: "NoPod", message: "its pod is not created yet", vague: true},
			since: f.job.CreationTimestamp.Time, kind: "Job", of: f.o.UID,
		})
	}
}

func (f *follower) anyCoordinatorWaits() bool {
	for key, w := range f.waits {
		if w.step == "" && key != jobWait && key != clusterWait {
			return true
		}
	}
	return false
}

// conclude looks for the run's end, now that its Job has ended. The coordinator's log tells of it too, mostly before.
func (f *follower) conclude(verdict string) {
	if f.concluding || f.end != nil {
		return
	}
	f.concluding = true
	f.group.Go(func() {
		var end *record.End
		err := errors.New("there is no store to read its end from")
		for try := range 5 { // at first, what the coordinator printed may still be on its way
			if !f.sleep(time.Duration(1+try) * 500 * time.Millisecond) {
				return
			}
			if f.o.Reader == nil {
				break
			}
			if end, err = f.o.Reader.End(f.ctx, &f.run); end != nil {
				f.call(func() { f.take(f.endEvent(end)) })
				return
			}
		}
		f.call(func() { f.lose(verdict, err) })
	})
}

func (f *follower) endEvent(end *record.End) record.Event {
	return record.Event{Version: record.Version, Type: record.RunEnded, At: end.At, Run: f.o.Name, RunEnd: end}
}

// lose gives up a run that nothing drives any more. What its pods have written is still shown.
func (f *follower) lose(verdict string, err error) {
	if f.end != nil || f.lost != nil {
		return
	}
	if err != nil {
		f.lost = fmt.Errorf("run %s: %s, and its end can't be read: %w", f.o.Name, verdict, err)
	} else {
		if len(f.words) > 0 {
			verdict += "; the last lines of the coordinator's log:\n  " + strings.Join(f.words, "\n  ")
		}
		f.lost = &LostError{Name: f.o.Name, Why: verdict}
	}
	for name, s := range f.steps {
		s.started = true
		for n := range s.attempts {
			f.closeAttempt(name, s, n, nil)
		}
		f.openGate(s)
	}
	f.endIfDone()
}

func (f *follower) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-f.ctx.Done():
		return false
	}
}

// faultOf takes in that something of the cluster can't be watched at present, or can be again.
func (f *follower) faultOf(resource string) func(error) {
	return func(err error) {
		switch {
		case err == nil:
			f.call(func() { f.noWait(clusterWait) })
		case apierrors.IsForbidden(err):
			f.call(func() { f.blinded(resource, err) })
		default:
			since := time.Now()
			f.call(func() {
				f.waitFor(clusterWait, waiting{what: "the cluster", wants: wants{reason: "Unreachable", message: why(err)}, since: since})
			})
		}
	}
}

// blinded notes that the rights to see something are missing. What the coordinator would tell is then read from the
// run's records, every few seconds.
func (f *follower) blinded(resource string, err error) {
	if f.blind[resource] != nil {
		return
	}
	f.blind[resource] = err
	what := map[string]string{
		"pods":     "pods can't be watched: the reasons for waiting are not shown, and logs are read from the store, with a delay of some seconds",
		"pods/log": "the logs of pods can't be read: lines are read from the store, with a delay of some seconds",
		"jobs":     "jobs can't be watched: a lost run is not detected",
	}[resource]
	f.warn(what + ": " + why(err))
	f.sync()
}

// sync reads how the run stands from its records, and tells what was not told yet.
func (f *follower) sync() {
	if f.syncing || f.o.Reader == nil || f.ended {
		return
	}
	f.syncing = true
	f.group.Go(func() {
		detail, err := f.read()
		f.call(func() {
			f.syncing, f.syncedAt = false, f.now()
			if err == nil {
				f.synced(detail)
			}
		})
	})
}

func (f *follower) read() (*runs.Detail, error) {
	run, err := f.o.Reader.Read(f.ctx, f.run.Namespace, f.run.Pipeline, f.run.Name)
	if err != nil {
		return nil, err
	}
	return f.o.Reader.Show(f.ctx, run)
}

func (f *follower) synced(d *runs.Detail) {
	steps := d.Steps
	sort.SliceStable(steps, func(i, j int) bool { return steps[i].StartedAt.Before(steps[j].StartedAt) })
	for i := range steps {
		s := &steps[i]
		f.tellEnd(s)
		if s.Status != record.Running || !f.o.Lines || !f.wantedStep(s.Name) {
			continue
		}
		flow := f.step(s.Name)
		for n := 1; n < s.Attempts; n++ {
			f.closeAttempt(s.Name, flow, n, nil)
		}
		if a := flow.attempts[s.Attempts]; a == nil && !flow.shown[s.Attempts] && f.blind["pods"] != nil && f.wanted(record.AttemptID{Step: s.Name, Attempt: s.Attempts}) {
			f.newAttempt(record.AttemptID{Step: s.Name, Attempt: s.Attempts}, "", true) // no pod will be seen
		}
	}
	if d.End != nil {
		f.take(f.endEvent(d.End))
	}
}

// logTrouble takes in that a log could not be read.
func (f *follower) logTrouble(id record.AttemptID, err error, unread bool) {
	switch {
	case apierrors.IsForbidden(err):
		f.blinded("pods/log", err)
	case unread && errors.Is(err, store.ErrNotExist):
	case unread:
		f.warn(fmt.Sprintf("the end of the log of step %s, attempt %d, can't be read: %s", id.Step, id.Attempt, why(err)))
	}
}
