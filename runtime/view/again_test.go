package view

import (
	"testing"

	"pipec.dev/pipec/schema/record"
)

// TestCallAgain: a call that is made again takes back the ends of its parts, and waits only until one of them starts.
func TestCallAgain(t *testing.T) {
	m := newModel([]string{"c"})
	feed := func(events ...record.Event) {
		for i := range events {
			m.event(&events[i])
		}
	}
	feed(
		record.Event{Type: record.StepStarted, Step: "c"},
		record.Event{Type: record.StepStarted, Step: "c.a", Attempt: 1},
		record.Event{Type: record.StepEnded, Step: "c.a", End: &record.StepEnd{Name: "c.a", Status: record.Failed}},
		record.Event{Type: record.StepRetried, Step: "c", Attempt: 1, Text: "attempt 1 failed"},
	)
	call, part := m.steps["c"], m.steps["c.a"]
	if part.end != nil || part.status != record.Pending || !call.waiting || call.counts[record.Pending] != 1 || call.counts[record.Failed] != 0 {
		t.Errorf("between the attempts: part %+v, call %+v", part, call)
	}
	feed(record.Event{Type: record.StepStarted, Step: "c.a", Attempt: 2, Again: 1})
	if part.status != record.Running || call.waiting || call.counts[record.Running] != 1 {
		t.Errorf("in the second attempt: part %+v, call %+v", part, call)
	}
}
