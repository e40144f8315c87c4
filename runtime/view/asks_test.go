package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/schema/record"
)

func TestAsks(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	var out, messages bytes.Buffer
	o := Options{Out: &out, Messages: &messages, Now: func() time.Time { return at.Add(40 * time.Second) }, Steps: []string{"each", "ok"}, Flags: " -C dir"}
	plain, m := NewPlain(o), newModel(o.Steps)
	feed := func(events ...record.Event) {
		for _, e := range events {
			e.At, e.Run = at, "r"
			plain.Event(e)
			m.event(&e)
		}
	}
	feed(
		record.Event{Type: record.StepStarted, Step: "ok"},
		record.Event{Type: record.StepAsks, Step: "ok", Ask: &record.Ask{Message: "Promote\n\x1b[31m0.9\x1b[0m?", Type: "bool"}},
		record.Event{Type: record.StepStarted, Step: `each["it's"]`},
		record.Event{Type: record.StepAsks, Step: `each["it's"]`, Ask: &record.Ask{Message: "Which?", Type: "list(string)"}},
		record.Event{Type: record.StepStarted, Step: "each[0]"},
		record.Event{Type: record.StepAsks, Step: "each[0]", Ask: &record.Ask{Message: "Go?"}},
	)
	want := `run r
ok: started
ok | waiting for approval: Promote 0.9? (pipec approve r ok --value true -C dir)
each["it's"]: started
each["it's"] | waiting for approval: Which? (pipec approve r 'each["it'\''s"]' --value VALUE -C dir; VALUE is list(string))
each[0]: started
each[0] | waiting for approval: Go? (pipec approve r 'each[0]' -C dir)
`
	if got := messages.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	frame := func(rows int) string {
		var lines []string
		for _, r := range m.frame(&o, 120, rows, o.now()) {
			lines = append(lines, r.text)
		}
		return strings.Join(lines, "\n")
	}
	for _, want := range []string{"? ok", "waiting for approval: Promote 0.9?", "  pipec approve r ok --value true -C dir", "  pipec approve r 'each[0]' -C dir"} {
		if got := frame(24); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if got := frame(8); !strings.Contains(got, "… 2 more are waiting for approval: pipec runs r -C dir") || strings.Count(got, "\n") > 7 {
		t.Errorf("on a small screen:\n%s", got)
	}
	if got := frame(2); strings.Count(got, "\n") > 3 {
		t.Errorf("on a tiny screen:\n%s", got)
	}
	messages.Reset()
	feed(
		ended(0, "ok", record.Succeeded, func(e *record.StepEnd) {
			e.Ask, e.Answer, e.Message = &record.Ask{}, &record.Answer{By: "eva"}, "approved by eva"
		}),
		ended(0, "each[0]", record.Failed, func(e *record.StepEnd) { e.Reason, e.Message = record.ReasonRejected, "rejected by eva: no" }),
		record.Event{Type: record.StepAsks, Step: "ok", Ask: &record.Ask{Message: "late"}},
	)
	if got := messages.String(); !strings.Contains(got, "ok: succeeded in ") || !strings.Contains(got, ": approved by eva\n") || !strings.Contains(got, "Rejected: rejected by eva: no") || strings.Contains(got, "late") {
		t.Errorf("got\n%s", got)
	}
	if got := frame(24); strings.Contains(got, "approve r ok") || strings.Contains(got, "each[0]' -C") {
		t.Errorf("it asks on:\n%s", got)
	}
}
