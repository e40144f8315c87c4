package cluster

import (
	"context"
	"errors"
	"testing"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/record"
)

// TestLive: the cluster is queried once, and only about runs of its namespace; without an answer, runs count as running.
func TestLive(t *testing.T) {
	var notices []string
	c := &Cluster{stack: &orchestrator.Stack{Project: project.New(".", project.Options{
		Notify: func(n notice.Notice) { notices = append(notices, n.String()) },
	})}}
	queries := 0
	live := c.live(func(context.Context) (map[string]remote.Job, error) {
		queries++
		return map[string]remote.Job{"1": {Live: true}, "2": {}}, nil
	})
	for _, r := range []struct {
		run  record.Run
		want bool
	}{
		{record.Run{Namespace: "ml", UID: "1"}, true},
		{record.Run{Namespace: "ml", UID: "2"}, false},
		{record.Run{Namespace: "ml", UID: "3"}, false},
	} {
		if live(&r.run) != r.want {
			t.Errorf("%+v: expected %v", r.run, r.want)
		}
	}
	if queries != 1 || len(notices) != 0 {
		t.Errorf("%d queries, and %q", queries, notices)
	}
	live = c.live(func(context.Context) (map[string]remote.Job, error) { return nil, errors.New("unreachable") })
	run := record.Run{Namespace: "ml"}
	first, second := live(&run), live(&run)
	if !first || !second || len(notices) != 1 {
		t.Errorf("without an answer: %t, %t, %q", first, second, notices)
	}
}

func TestCheck(t *testing.T) {
	if err := check(&orchestrator.StartRequest{Parallel: 2}); fault.KindOf(err) != fault.Usage {
		t.Errorf("--parallel: %v", err)
	}
	if err := check(&orchestrator.StartRequest{Detach: true}); err != nil {
		t.Errorf("--detach: %v", err)
	}
}

func TestClassify(t *testing.T) {
	s := &session{conn: &connect.Connection{}}
	for _, c := range []struct {
		err  error
		want fault.Kind
	}{
		{nil, 0},
		{&rerun.UnknownStepError{Step: "x"}, fault.Usage},
		{&remote.NameTakenError{Name: "r"}, fault.Usage},
		{&remote.NotAppliedError{Pipeline: "p"}, fault.User},
		{&rerun.RefusedError{Reason: rerun.Running}, fault.User},
		{&params.Error{Message: "x", Hint: "y"}, fault.Usage},
		{errors.New("x"), fault.Environment},
		{fault.Userf("x"), fault.User},
	} {
		if got := fault.KindOf(s.classify(t.Context(), c.err)); got != c.want {
			t.Errorf("%v: got %v, expected %v", c.err, got, c.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := fault.KindOf(s.classify(ended, context.Canceled)); got != fault.Interrupted {
		t.Errorf("an interruption is %v", got)
	}
}
