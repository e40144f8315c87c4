package engine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestLast: a run reads what it was given of earlier ones, and null where there was none.
func TestLast(t *testing.T) {
	p := pipeline(
		step("a", input("n", "number", ref("last_success.p.n")), input("m", "model", ref("last_success.p.m"))),
		step("b", input("n", "number", ex("coalesce(last_success.p.none, 7)", "number", "~last_success.p.none"))),
		step("c", input("none", "number", soft("last_success.p.none"))),
	)
	p.LastSuccess = []program.LastSuccess{
		{Pipeline: "p", Output: "m", Type: "model", Required: true},
		{Pipeline: "p", Output: "n", Type: "number", Required: true},
		{Pipeline: "p", Output: "none", Type: "number"},
	}
	given := []record.LastSuccess{
		{Pipeline: "p", Run: "old", Datum: record.Datum{Name: "m", Type: "model", Artifact: &record.Artifact{Digest: "sha256:d", Size: 3}}},
		{Pipeline: "p", Run: "old", Datum: record.Datum{Name: "n", Type: "number", Value: json.RawMessage("5")}},
	}
	run := &record.Run{Name: "r", Pipeline: "p", LastSuccess: given}
	s, err := New(p, run, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, actions := Next(s, record.Event{Type: record.RunStarted, At: time.Unix(1, 0)})
	inputs := map[string]record.Datum{}
	for _, a := range actions {
		if a, ok := a.(StartAttempt); ok {
			for _, d := range a.Spec.Inputs {
				inputs[a.Spec.Step+"."+d.Name] = d
			}
		}
	}
	if string(inputs["a.n"].Value) != "5" || string(inputs["b.n"].Value) != "7" || inputs["a.m"].Artifact == nil || inputs["a.m"].Artifact.Digest != "sha256:d" {
		t.Errorf("%+v", inputs)
	}
	if end := s.Steps()[2]; end.Name != "c" || end.Status != record.Failed || !strings.Contains(end.Message, "no run of p has succeeded yet and written none") {
		t.Errorf("c: %+v", end)
	}

	for _, bad := range []*record.Run{
		{Name: "r", Pipeline: "p", LastSuccess: given[:1]},
		{Name: "r", Pipeline: "p", LastSuccess: []record.LastSuccess{given[0], {Pipeline: "p", Datum: record.Datum{Name: "n", Value: json.RawMessage(`"x"`)}}}},
		{Name: "r", Pipeline: "p", LastSuccess: []record.LastSuccess{given[1], {Pipeline: "p", Datum: record.Datum{Name: "m"}}}},
	} {
		if _, err := New(p, bad, 0); err == nil || !strings.Contains(err.Error(), "last_success.p.") {
			t.Errorf("%+v: %v", bad.LastSuccess, err)
		}
	}
}
