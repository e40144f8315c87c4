package remote

// reviewJob begins or ends the wait for the pod of the run's Job.
func (f *follower) reviewJob() {
	job := f.conclusion.job
	if job == nil || f.conclusion.started || f.coordinators.known() || f.missing["pods"] || job.Status.Active > 0 {
		f.waits.end(jobWait)
		return
	}
	w := wait{subject: "job " + job.Name, since: job.CreationTimestamp.Time}
	switch {
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		w.reason = waitReason{name: "Suspended", lasting: true}
	case f.waits.coordinator():
		return
	default:
		w.reason = waitReason{name: "NoPod", message: "its pod is not created yet", unclear: true}
		w.kind, w.uid = "Job", f.options.UID
	}
	f.waits.begin(jobWait, w)
}

// coordinator reports whether the pod of a coordinator waits.
func (ws *waits) coordinator() bool {
	for _, w := range ws.byKey {
		if w.step == "" && w.kind == "Pod" {
			return true
		}
	}
	return false
}
