package view

import (
	"bytes"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

func TestFirstFailure(t *testing.T) {
	failed := func(ms int, name, message string) record.StepEnd {
		return record.StepEnd{Name: name, Status: record.Failed, Reason: record.ReasonError, Message: message, EndedAt: at(ms)}
	}
	slow := record.StepEnd{Name: "slow", Status: record.TimedOut, Reason: "Timeout", EndedAt: at(500)}
	skipped := record.StepEnd{Name: "after", Status: record.Skipped, EndedAt: at(1), Because: "b"}
	never := record.StepEnd{Name: "never", Status: record.Failed, Message: "it can't start"}
	for _, c := range []struct {
		name  string
		steps []record.StepEnd
		want  string
	}{
		{"none", []record.StepEnd{skipped}, ""},
		{"one, which the table has", []record.StepEnd{skipped, failed(2000, "b", "exit code 1")}, ""},
		{"one inside of a step that fails with it", []record.StepEnd{failed(2000, "fan", "fan[1] failed"), failed(1000, "fan[1]", "exit code 1")}, ""},
		{"the second of the file is the first in time", []record.StepEnd{failed(3000, "a", "x"), failed(2000, "b", "exit\ncode 1"), skipped}, "b after 2.0s: Error: exit; code 1"},
		{"a timeout counts", []record.StepEnd{failed(3000, "a", "x"), slow}, "slow after 0.5s: Timeout"},
		{"two instances of a step", []record.StepEnd{failed(900, "fan", "2 failed"), failed(800, "fan[0]", "x"), failed(700, "fan[1]", "y")}, "fan[1] after 0.7s: Error: y"},
		{"at the same time, the order of the steps", []record.StepEnd{failed(700, "b", "x"), failed(700, "a", "y")}, "b after 0.7s: Error: x"},
		{"a step without a time is not the first", []record.StepEnd{never, failed(700, "a", "y")}, "a after 0.7s: Error: y"},
		{"no step has a time", []record.StepEnd{never, never}, ""},
	} {
		if got := FirstFailure(&record.End{Steps: c.steps}, epoch); got != c.want {
			t.Errorf("%s: got %q, expected %q", c.name, got, c.want)
		}
	}
}

// TestFirstFailureShown: the end of a run names the first of several failures once, below the table.
func TestFirstFailureShown(t *testing.T) {
	var out, messages bytes.Buffer
	v := NewPlain(Options{Out: &out, Messages: &messages, Steps: []string{"a", "b"}})
	v.Event(record.Event{Type: record.RunStarted, At: at(0), Run: "r"})
	end := &record.End{Status: record.Failed, Reason: record.ReasonStepsFailed, At: at(3000)}
	for _, name := range []string{"b", "a"} {
		e := ended(1000*(len(end.Steps)+1), name, record.Failed, func(e *record.StepEnd) { e.Reason, e.Message = record.ReasonError, name+" is broken" })
		v.Event(e)
		end.Steps = append(end.Steps, *e.End)
	}
	v.Event(record.Event{Type: record.RunEnded, At: at(3000), RunEnd: end})
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if text := messages.String(); strings.Count(text, "first failure: b after 1.0s: Error: b is broken\n") != 1 {
		t.Errorf("%s", text)
	}
}
