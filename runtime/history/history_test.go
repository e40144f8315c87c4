package history_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// lostRun records a run of steps a -> b -> c, whose log ends after its start. The attempts of the named steps have
// committed a success since.
func lostRun(t *testing.T, committed ...string) (store.Store, *record.Run) {
	t.Helper()
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := &program.Program{Version: 1, Pipeline: "p"}
	for i, name := range []string{"a", "b", "c"} {
		step := program.Step{Name: name, Retry: program.Retry{Attempts: 1}}
		if i > 0 {
			step.Needs = []program.Need{{Step: p.Steps[i-1].Name, Kind: program.NeedOrder}}
		}
		if name == "b" {
			step.Concurrency = &program.Concurrency{Group: "g", Limit: 1}
		}
		p.Steps = append(p.Steps, step)
	}
	encoded, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	run := &record.Run{Version: 1, Name: "r", Pipeline: "p", Namespace: "n", Program: program.Digest(encoded), CreatedAt: at}
	put := func(key string, v any) {
		t.Helper()
		data, ok := v.([]byte)
		if !ok {
			if data, err = store.EncodeJSON(v); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Put(t.Context(), key, bytes.NewReader(data), store.IfAbsent); err != nil {
			t.Fatal(err)
		}
	}
	put(record.ProgramKey(run.Program), encoded)
	put(run.RunKey(), run)
	put(run.LogKey(0), record.Event{Version: 1, Seq: 1, Type: record.RunStarted, At: at})
	for _, step := range committed {
		put(run.AttemptDir(step, 1)+"/result.json", record.Result{Version: 1, Step: step, Attempt: 1, Status: record.Succeeded, StartedAt: at, EndedAt: at})
	}
	return s, run
}

// The results of attempts count though the log lags behind, also those of steps that start because of them.
func TestSteps(t *testing.T) {
	for want, committed := range map[string][]string{
		"a=running b=pending c=pending":       nil,
		"a=succeeded b=pending c=pending":     {"a"},
		"a=succeeded b=succeeded c=running":   {"a", "b"}, // b must have entered its group
		"a=succeeded b=succeeded c=succeeded": {"a", "b", "c"},
		"a=running b=pending c=pending ":      {"b"}, // a damaged store: b can't have started
	} {
		s, run := lostRun(t, committed...)
		steps, err := history.Steps(t.Context(), s, run)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range steps {
			got = append(got, fmt.Sprintf("%s=%s", steps[i].Name, steps[i].Status))
		}
		if strings.Join(got, " ") != strings.TrimSpace(want) {
			t.Errorf("with the results of %q: %q, want %q", committed, got, want)
		}
	}
}

// A rerun of a lost run keeps what is committed.
func TestRerunEvents(t *testing.T) {
	s, run := lostRun(t, "a", "b")
	again := &record.Run{Version: 1, Name: "again", Pipeline: "p", Namespace: "n", RerunOf: run.Name, Kept: []string{"a", "b"}}
	events, err := history.RerunEvents(t.Context(), s, again)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s from %s", e.Type, e.Step, e.From))
	}
	if want := []string{"step_kept a from r", "step_kept b from r"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	again.Kept = nil
	if events, err := history.RerunEvents(t.Context(), s, again); err != nil || events != nil {
		t.Errorf("without kept steps: %+v, %v", events, err)
	}
	again.Kept, again.RerunOf = []string{"a"}, "gone"
	if _, err := history.RerunEvents(t.Context(), s, again); err == nil || !strings.Contains(err.Error(), "run gone, whose results are kept") {
		t.Errorf("of a run that doesn't exist: %v", err)
	}
}
