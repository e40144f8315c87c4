package remote

import (
	"testing"

	"pipec.dev/pipec/schema/record"
)

// TestEventKeyOfCalls: the events of a step in a later attempt of its call are other events, also if they come from the records.
func TestEventKeyOfCalls(t *testing.T) {
	start := func(again int) *record.Event {
		return &record.Event{Type: record.StepStarted, Step: "c.a", Again: again}
	}
	end := func(again int) *record.Event {
		return &record.Event{Type: record.StepEnded, Step: "c.a", End: &record.StepEnd{Again: again}}
	}
	if eventKey(start(0)) == eventKey(start(1)) || eventKey(end(0)) == eventKey(end(1)) {
		t.Error("the second attempt of a call is taken for the first")
	}
	logged := start(1)
	logged.Attempt = 2
	if eventKey(logged) != eventKey(start(1)) {
		t.Error("the event in the log and the one of the records differ")
	}
}
