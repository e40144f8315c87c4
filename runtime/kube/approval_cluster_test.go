package kube_test

import (
	"path"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// logged waits until the run's log has an event, and returns it: an event is in the log before it is reported to followers.
func (w *world) logged(run string, want func(*record.Event) bool) *record.Event {
	w.t.Helper()
	of := &record.Run{Namespace: w.ns, Pipeline: "p", Name: run}
	for end := time.Now().Add(4 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		for s, err := range journal.Read(w.t.Context(), w.store, of) {
			check(w.t, err)
			for i := range s.Events {
				if want(&s.Events[i]) {
					return &s.Events[i]
				}
			}
		}
	}
	w.t.Fatalf("%s: it is not in the log\n%s", path.Dir(of.LogKey(0)), w.coordinatorLog(run))
	return nil
}

// A run that waits for an approval has no pod for it, outlives its coordinator with the deadline that it had, and takes
// the answer that its Job carries; one that can't be taken is as none.
func TestApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ok := program.Step{
		Name: "ok", Needs: []program.Need{{Step: "a", Kind: program.NeedOutput}},
		Approval: &program.Approval{Message: program.Value{Ref: "step.a.n"}, Timeout: program.Duration(time.Hour)},
	}
	output("value", "number")(&ok)
	p := w.bind([]program.Step{
		w.sh("a", "echo which > $PIPEC_OUTPUT_n", output("n", "string")), ok,
		w.sh("b", `test "$(cat $PIPEC_INPUT_n)" = 7`, input("n", "number", "ok", "value")),
	})
	if p.Steps[2].Name != "ok" || len(p.Steps[2].Pod) > 0 {
		t.Fatalf("an approval has a pod: %s", p.Steps[2].Pod)
	}
	w.start(p, "one", nil)
	ended := w.logged("one", func(e *record.Event) bool { return e.Type == record.AttemptEnded && e.Step == "a" })
	name := kube.AnnotationApprove + record.AnswerName("ok")
	w.annotate("one", name, `{"value": "seven"}`)
	grace := int64(0)
	check(t, w.client.CoreV1().Pods(w.ns).DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: &grace}, metav1.ListOptions{LabelSelector: "test=coordinator"}))
	w.logged("one", func(e *record.Event) bool { return e.Type == record.CoordinatorStarted })
	if pods := w.pods("one"); len(pods) != 1 {
		t.Errorf("while it waits there are %d pods", len(pods))
	}
	w.annotate("one", name, `{"by": "eva", "value": 7, "reason": "why not"}`)
	end := w.succeeded("one")
	s := w.step(end, "ok")
	if s.Answer == nil || s.Answer.By != "eva" || string(s.Answer.Value) != "7" || s.Message != "approved by eva: why not" {
		t.Errorf("ok ended %+v, answered %+v", s, s.Answer)
	}
	if s.Ask == nil || s.Ask.Message != "which" || !s.Ask.Until.Equal(ended.At.Add(time.Hour)) {
		t.Errorf("ok asked %+v, and a ended at %s", s.Ask, ended.At)
	}
	if pods := w.pods("one"); len(pods) != 2 {
		t.Errorf("there are %d pods", len(pods))
	}

	w.start(p, "two", nil)
	w.logged("two", func(e *record.Event) bool { return e.Type == record.AttemptEnded && e.Step == "a" })
	w.annotate("two", name, `{"reject": true}`)
	end = w.failed("two")
	if s := w.step(end, "ok"); s.Status != record.Failed || s.Reason != record.ReasonRejected || s.ExitCode != nil || s.Message != "rejected by somebody" {
		t.Errorf("ok ended %+v", s)
	}
}
