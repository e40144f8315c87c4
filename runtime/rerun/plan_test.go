package rerun_test

import (
	"errors"
	"slices"
	"testing"

	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func TestAllowed(t *testing.T) {
	of, now := &record.Run{Name: "r", Pipeline: "p"}, &program.Program{Pipeline: "p"}
	for _, c := range []struct {
		status record.Status
		now    *program.Program
		want   rerun.Reason // 0: it is allowed
	}{
		{record.Failed, now, 0},
		{record.Lost, now, 0},
		{record.Running, now, rerun.Running},
		{record.Succeeded, nil, rerun.Succeeded},
		{record.Failed, nil, rerun.NoPipeline},
		{record.Failed, &program.Program{Pipeline: "q"}, rerun.NoPipeline},
	} {
		err := rerun.Allowed(of, c.status, c.now, rerun.Change{})
		var refused *rerun.RefusedError
		if c.want == 0 && err != nil || c.want != 0 && (!errors.As(err, &refused) || refused.Reason != c.want) {
			t.Errorf("%s: got %v", c.status, err)
		}
	}
}

// TestNewOfLimitedRun: a run that was limited to some steps is run again with those that are still there, and what they need.
func TestNewOfLimitedRun(t *testing.T) {
	p := pipeline("a", "b: a", "c")
	of := &record.Run{Name: "r", Pipeline: "p", Only: []string{"b", "removed"}}
	present := func(s *record.StepEnd) bool { return s.Name != "a" }
	plan, err := rerun.New(of, ends("a=succeeded b=failed"), p, p, rerun.Change{}, present)
	if err != nil || !slices.Equal(plan.Only, []string{"a", "b"}) || len(plan.Steps) != 2 || plan.Steps[0].Why != "its outputs are gone" {
		t.Errorf("got %+v, %v", plan, err)
	}
	of.Only = []string{"removed"}
	var refused *rerun.RefusedError
	if _, err := rerun.New(of, ends("a=succeeded"), p, p, rerun.Change{}, present); !errors.As(err, &refused) || refused.Reason != rerun.NoStep {
		t.Errorf("got %v", err)
	}
}
