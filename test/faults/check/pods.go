package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// each calls f with every event and the pods that are live just before it, by their UIDs.
func each(events []history.Event, f func(e *history.Event, live map[string]*history.Event)) {
	live := map[string]*history.Event{}
	for i := range events {
		e := &events[i]
		f(e, live)
		switch e.What {
		case history.Created:
			live[e.Pod] = e
		case history.Ended, history.Gone:
			delete(live, e.Pod)
		}
	}
}

// oneLive: at most one attempt of a step is live at any time.
func (j *judge) oneLive() {
	each(j.events, func(e *history.Event, live map[string]*history.Event) {
		if e.What != history.Created {
			return
		}
		for _, other := range live {
			if other.Step == e.Step && !j.late(e) {
				j.wrong(e.At, "attempt %d of %s was created by %s while attempt %d was live", e.Attempt, e.Step, e.Who, other.Attempt)
			}
		}
	})
}

// inOrder: no attempt is created after one that follows it.
func (j *judge) inOrder() {
	last := map[string]int{}
	for i := range j.events {
		e := &j.events[i]
		if e.What != history.Created {
			continue
		}
		if n := last[e.Step]; e.Attempt < n && !j.late(e) {
			j.wrong(e.At, "attempt %d of %s was created after attempt %d", e.Attempt, e.Step, n)
		}
		last[e.Step] = max(last[e.Step], e.Attempt)
	}
}

// afterEnd: nothing is created after the end of the run.
func (j *judge) afterEnd() {
	end, ok := j.endedAt()
	for i := range j.events {
		if e := &j.events[i]; ok && e.What == history.Created && e.At > end && !j.late(e) {
			j.wrong(e.At, "attempt %d of %s was created by %s after the end of the run", e.Attempt, e.Step, e.Who)
		}
	}
}

// takenOver: a coordinator creates nothing after its successor has written to the run's log. It stops only if there is another
// coordinator.
func (j *judge) takenOver() {
	last, begun := "", 0
	over := map[string]bool{}
	for i := range j.events {
		e := &j.events[i]
		switch {
		case e.What == history.Stored && strings.Contains(e.Text, "/"+j.Name+"/log/") && strings.HasPrefix(e.Text, "runs/"):
			if last != "" && last != e.Who {
				over[last] = true
			}
			last = e.Who
		case e.What == history.Begun:
			begun++
		case e.What == history.Stopped && e.Text == drive.ErrTakenOver.Error() && begun < 2 && !j.leaseGone():
			j.wrong(e.At, "%s stopped because of another coordinator, and there was none", e.Who)
		case e.What == history.Created && over[e.Who] && !j.late(e):
			j.wrong(e.At, "attempt %d of %s was created by %s, which was taken over", e.Attempt, e.Step, e.Who)
		}
	}
}

// leaseGone reports whether the Lease of a run was deleted: a coordinator that finds none must take into account that there was a
// successor.
func (j *judge) leaseGone() bool {
	return slices.ContainsFunc(j.in.Cell.Faults, func(f plan.Fault) bool { return f.Mode == "lease-gone" || f.Mode == "delete-job" })
}

// late reports whether a pod is that of a create which the plan has the server obey late: no coordinator can prevent that.
func (j *judge) late(e *history.Event) bool { return late(j.in.Cell, e, j.other) }

// late reports that of a pod of the run with this name in points.
func late(c plan.Cell, e *history.Event, run string) bool {
	return slices.ContainsFunc(c.Faults, func(f plan.Fault) bool {
		return f.Mode == "late" && f.At.Verb == "POST" && f.At.Run == run && f.At.Object == "pods/"+name(e)
	})
}

// orphans: some time after the end of the run nothing of it is live.
func (j *judge) orphans() {
	left := map[string]*history.Event{}
	each(j.events, func(_ *history.Event, live map[string]*history.Event) { left = live })
	end, _ := j.endedAt()
	for _, e := range left {
		if j.late(e) && e.At > end {
			continue // it is deleted with the Job
		}
		j.wrong(e.At, "attempt %d of %s, created by %s, is live after the end", e.Attempt, e.Step, e.Who)
	}
}

// committedOnce: an attempt commits one result. After that, it gets no pod and no process, and no process of a later attempt
// starts after a success.
func (j *judge) committedOnce() {
	committed := map[string]record.Status{} // by the name of the attempt
	names := j.results()
	for i := range j.events {
		e := &j.events[i]
		switch {
		case e.What == history.Stored && strings.HasSuffix(e.Text, "/result.json"):
			r, err := store.ReadJSON[record.Result](context.Background(), j.in.Store, e.Text)
			if err != nil {
				j.wrong(e.At, "%s can't be read: %s", e.Text, err)
			}
			attempt := cmp.Or(names[e.Text], e.Text)
			if _, ok := committed[attempt]; ok {
				j.wrong(e.At, "the result of %s was written twice", attempt)
			}
			committed[attempt] = r.Status
		case e.What == history.Created:
			if _, ok := committed[name(e)]; ok && !j.late(e) {
				j.wrong(e.At, "attempt %d of %s got another pod after it had committed", e.Attempt, e.Step)
			}
		case e.What == history.Process:
			if _, ok := committed[name(e)]; ok {
				j.wrong(e.At, "attempt %d of %s ran again after it had committed", e.Attempt, e.Step)
			}
			for n := 1; n < e.Attempt && !j.mode.Fails; n++ { // a result that can't be read within the grace of the store counts as lost
				if committed[fmt.Sprintf("%s.%d", e.Step, n)] == record.Succeeded {
					j.wrong(e.At, "attempt %d of %s ran after attempt %d had succeeded", e.Attempt, e.Step, n)
				}
			}
		}
	}
}

// results returns the names of the attempts that had a pod, by the keys of their results.
func (j *judge) results() map[string]string {
	run := record.Run{Namespace: "ns", Pipeline: j.Program.Pipeline, Name: j.Name}
	out := map[string]string{}
	for i := range j.events {
		if e := &j.events[i]; e.What == history.Created {
			out[run.AttemptDir(e.Step, e.Attempt)+"/result.json"] = name(e)
		}
	}
	return out
}
