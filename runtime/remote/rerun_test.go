package remote

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// recorded writes the records of a run that has started.
func recorded(t *testing.T, p *program.Program) (*runs.Reader, *record.Run, *store.Local) {
	t.Helper()
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	run := &record.Run{
		Version: 1, Name: "r", Pipeline: "p", Namespace: "ml", UID: "job-1", Program: program.Digest(encoded),
		CreatedAt: time.Now().UTC(), Params: map[string]json.RawMessage{"n": json.RawMessage("3"), "gone": json.RawMessage("1")},
	}
	if err := s.Put(t.Context(), record.ProgramKey(run.Program), strings.NewReader(string(encoded)), store.Replace); err != nil {
		t.Fatal(err)
	}
	if err := store.WriteJSON(t.Context(), s, run.RunKey(), run, store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	return runs.NewReader(s, work.Dir{}, "ml"), run, s
}

func chain() *program.Program {
	command := []program.Value{{Const: json.RawMessage(`"true"`)}}
	return &program.Program{
		Version: 1, Pipeline: "p", OnFailure: "continue", MaxParallel: 9,
		Params: []program.Param{{Name: "n", Type: "number", Default: json.RawMessage("1")}},
		Steps: []program.Step{
			{Name: "a", Command: command, Retry: program.Retry{Attempts: 1}},
			{Name: "b", Command: command, Retry: program.Retry{Attempts: 1}, Needs: []program.Need{{Step: "a", Kind: program.NeedOutput}}},
		},
	}
}

func commit(t *testing.T, s store.Store, run *record.Run, step string, status record.Status) {
	t.Helper()
	r := record.Result{Version: 1, Run: run.Name, Step: step, Attempt: 1, Status: status, StartedAt: run.CreatedAt, EndedAt: run.CreatedAt}
	if err := store.WriteJSON(t.Context(), s, run.AttemptDir(step, 1)+"/result.json", &r, store.IfAbsent); err != nil {
		t.Fatal(err)
	}
}

// TestRerunOfLost: the rerun of a lost run keeps the results of its steps, and the end of the lost run is recorded.
func TestRerunOfLost(t *testing.T) {
	reader, run, s := recorded(t, chain())
	commit(t, s, run, "a", record.Succeeded)
	if _, err := PlanRerun(t.Context(), reader, run, chain()); err == nil {
		t.Error("a run that may still be running is run again")
	}
	reader.Ask(func(*record.Run) bool { return false })
	bound := chain()
	bound.Steps[0].Pod, bound.Steps[0].ImageDigest = json.RawMessage(`{}`), "sha256:1"
	p, err := PlanRerun(t.Context(), reader, run, bound)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Lost || !slices.Equal(rerun.Kept(p.Steps), []string{"a"}) || !slices.Equal(p.Start.Kept, []string{"a"}) || p.Start.RerunOf != "r" {
		t.Errorf("got %+v", p)
	}
	if len(p.Start.Params) != 1 || string(p.Start.Params["n"]) != "3" {
		t.Errorf("params: %s", p.Start.Params)
	}
	end, err := EndLost(t.Context(), reader, run, record.Failed)
	if err != nil || end.Status != record.Failed || end.Steps[0].Status != record.Succeeded || end.Steps[1].Status != record.Cancelled {
		t.Errorf("got %+v, %v", end, err)
	}
	again, err := EndLost(t.Context(), reader, run, record.Cancelled)
	if err != nil || again.Status != record.Failed {
		t.Errorf("ended twice: %+v, %v", again, err)
	}
	if p, err = PlanRerun(t.Context(), reader, run, chain()); err != nil || p.Lost || !slices.Equal(p.Start.Kept, []string{"a"}) {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestNoRerun(t *testing.T) {
	reader, run, s := recorded(t, chain())
	if err := store.WriteJSON(t.Context(), s, run.EndKey(), succeeded("a", "b"), store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	var no *rerun.RefusedError
	if _, err := PlanRerun(t.Context(), reader, run, chain()); !errors.As(err, &no) || no.Reason != rerun.Succeeded {
		t.Errorf("got %v", err)
	}
}
