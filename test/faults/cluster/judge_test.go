package cluster

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// expected is how a run must have ended: the attempts of steps that have needed more than one.
type expected struct {
	status   record.Status
	attempts map[string]int
}

// judge checks the records and the pods of the run: its status, the attempts of its steps, one success for each step, a
// complete log that leads to the recorded end, and no pod that runs.
func (p *project) judge(want expected) {
	p.t.Helper()
	ctx, s := context.Background(), p.store()
	run, err := history.Run(ctx, s, p.ns, "p", p.job())
	if err != nil {
		p.t.Fatal(err)
	}
	end, err := history.End(ctx, s, run)
	if err == nil && end == nil {
		err = errNotEnded
	}
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.state())
	}
	if end.Status != want.status {
		p.t.Errorf("the run ended %s %s %s, expected %s", end.Status, end.Reason, end.Message, want.status)
	}
	for i := range end.Steps {
		step := &end.Steps[i]
		if step.Attempts != max(1, want.attempts[step.Name]) || step.Status != want.status {
			p.t.Errorf("step %s ended %s %s after %d attempts, expected %d: %s", step.Name, step.Status, step.Reason, step.Attempts, max(1, want.attempts[step.Name]), step.Message)
		}
		p.committed(ctx, s, run, step)
	}
	p.logged(ctx, s, run, end)
	p.await("the end of all pods", func() bool {
		for _, pod := range p.pods(kube.ComponentStep) {
			if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
				return false
			}
		}
		return true
	})
}

// committed checks that exactly one attempt of a step that has succeeded has a result that says so.
func (p *project) committed(ctx context.Context, s store.Store, run *record.Run, step *record.StepEnd) {
	p.t.Helper()
	n := 0
	for attempt := 1; attempt <= step.Attempts+1; attempt++ {
		r, err := store.ReadJSON[record.Result](ctx, s, run.AttemptDir(step.Name, attempt)+"/result.json")
		if err == nil && r.Status == record.Succeeded {
			n++
		}
	}
	if step.Status == record.Succeeded && n != 1 {
		p.t.Errorf("%d attempts of step %s have committed a success", n, step.Name)
	}
}

// logged checks that the log is in order, and leads to the recorded end.
func (p *project) logged(ctx context.Context, s store.Store, run *record.Run, end *record.End) {
	p.t.Helper()
	program, err := history.Program(ctx, s, run)
	if err != nil {
		p.t.Fatal(err)
	}
	fold, err := history.NewFold(program, run)
	if err != nil {
		p.t.Fatal(err)
	}
	var seq int64
	var folded record.Status
	err = fold.Read(ctx, s, run, func(e *record.Event, actions []engine.Action) {
		if e.Seq != seq+1 {
			p.t.Errorf("event %d of the log follows event %d", e.Seq, seq)
		}
		seq = e.Seq
		for _, a := range actions {
			if a, ok := a.(engine.End); ok {
				folded = a.End.Status
			}
		}
	})
	if err != nil || folded != end.Status {
		p.t.Errorf("the log leads to the end %q, and %q is recorded: %v", folded, end.Status, err)
	}
}

// chains returns a pipeline of so many chains of so many steps, each of which sleeps.
func chains(n, length int, sleep string) string {
	var b strings.Builder
	for i := range n {
		for j := range length {
			after := ""
			if j > 0 {
				after = fmt.Sprintf("\n    depends_on = [step.c%d_%d]", i, j-1)
			}
			fmt.Fprintf(&b, "  step \"c%d_%d\" {\n    command = [\"sleep\", %q]%s\n  }\n", i, j, sleep, after)
		}
	}
	return b.String()
}
