package remote

import (
	"fmt"
	"strings"
	"time"

	"pipec.dev/pipec/schema/record"
)

// eventKey returns the identity of an event. Events with the same key are the same one: the log of a restarted coordinator
// and the records repeat events.
func eventKey(e *record.Event) string {
	parts := []string{string(e.Type), e.Step}
	switch e.Type {
	case record.StepStarted, record.StepAsks:
		parts = append(parts, fmt.Sprint(e.Again))
	case record.StepEnded:
		if e.End != nil {
			parts = append(parts, fmt.Sprint(e.End.Again))
		}
	case record.CacheChecked, record.StepKept, record.RunStarted, record.RunEnded:
	case record.Warned:
		parts = append(parts, e.Text)
	case record.CancelRequested:
		parts = append(parts, e.At.String())
	default:
		parts = append(parts, fmt.Sprint(e.Attempt), e.Timer, e.Text)
	}
	return strings.Join(parts, "\x00")
}

// takeStep takes the events that follow from the state of a step in the records.
func (t *timeline) takeStep(s *record.StepEnd) {
	if !s.StartedAt.IsZero() {
		e := t.event(record.StepStarted, s.StartedAt)
		e.Step, e.Again = s.Name, s.Again
		t.take(e)
	}
	if s.Ask != nil && !s.Status.Ended() {
		e := t.event(record.StepAsks, s.StartedAt)
		e.Step, e.Ask, e.Again = s.Name, s.Ask, s.Again
		t.take(e)
	}
	if s.Status.Ended() {
		e := t.event(record.StepEnded, s.EndedAt)
		e.Step, e.End = s.Name, s
		t.take(e)
	}
}

// takeEnd takes the end of the run from the records.
func (t *timeline) takeEnd(end *record.End) {
	e := t.event(record.RunEnded, end.At)
	e.RunEnd = end
	t.take(e)
}

// cancelRequested notifies the observer that the user has requested the cancellation of the run.
func (t *timeline) cancelRequested() {
	t.observe(t.event(record.CancelRequested, time.Now().UTC()))
	t.cancels++
}

// warn passes a warning to the observer, once.
func (t *timeline) warn(text string) {
	e := t.event(record.Warned, time.Now().UTC())
	e.Text = text
	t.take(e)
}
