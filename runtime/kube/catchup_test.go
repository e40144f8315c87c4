package kube

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestCancelAfterTakeover: a coordinator is lost before it could log that a step has succeeded and that another one runs, and
// the user cancels the run. The first step ends as it has ended, and the second one as cancelled.
func TestCancelAfterTakeover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &program.Program{Steps: []program.Step{
			{Name: "a", Retry: program.Retry{Attempts: 1}},
			{Name: "b", Retry: program.Retry{Attempts: 1}, Needs: []program.Need{{Step: "a", Kind: program.NeedOrder}}},
			{Name: "c", Retry: program.Retry{Attempts: 1}, Needs: []program.Need{{Step: "b", Kind: program.NeedOrder}}},
		}})
		s, running := &slowStore{Store: r.store}, make(chan struct{})
		r.runs = func(p corev1.Pod) {
			switch p.Name {
			case podName("a", 1):
				s.set(true)
			case podName("b", 1):
				close(running)
				r.untilDeleted(p.Name)
			}
		}
		r.outcome = func(step string, _ int) *record.Result {
			if step == "a" {
				return &record.Result{Status: record.Succeeded}
			}
			return nil
		}
		c := r.start(s, "one", io.Discard)
		<-running
		c.kill()
		<-c.done
		r.annotate(kube.AnnotationCancel, "now")
		begun := time.Now()
		end := r.start(r.store, "two", io.Discard).wait(t)
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("the run was cancelled after %s", took)
		}
		got := map[string]record.Status{}
		for _, s := range end.Steps {
			got[s.Name] = s.Status
		}
		if end.Status != record.Cancelled || got["a"] != record.Succeeded || got["b"] != record.Cancelled || got["c"] != record.Skipped {
			t.Errorf("the run ended %s, its steps %v", end.Status, got)
		}
	})
}
