package engine

import (
	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/record"
)

// abort ends the run after a panic in at, by the event e. The state may be inconsistent, so it is only read.
func (s *State) abort(e *record.Event, at string) []Action {
	s.life.over = true
	at += ", by the event " + string(e.Type)
	if e.Step != "" {
		at += " of " + e.Step
	}
	why := panics.Message(at, "it")
	var actions []Action
	for i := range s.graph.nodes {
		if n := &s.graph.nodes[i]; n.phase == running && n.stopping == "" {
			actions = append(actions, StopAttempt{Step: n.addr, Attempt: n.number(), Why: why})
		}
	}
	steps := s.graph.stepEnds()
	for i := range steps {
		switch end := &steps[i]; end.Status {
		case record.Running:
			end.Status, end.Reason, end.Message, end.EndedAt = record.Cancelled, record.ReasonCancelled, why, s.out.now
		case record.Pending:
			end.Status, end.Reason, end.Message, end.EndedAt = record.Skipped, record.ReasonStopped, why, s.out.now
		}
	}
	return append(actions, End{record.End{
		Version: record.Version, At: s.out.now, Status: record.Failed, Reason: record.ReasonInternal,
		Message: why, Steps: steps,
	}})
}

// failAlone turns a panic while the values of a step are evaluated into a failure of this step. It must be deferred
// directly.
func failAlone(f **fault, what string) {
	if recover() != nil {
		*f = &fault{reason: record.ReasonExpression, message: what + ": " + panics.Message(panics.At(), "the expression")}
	}
}
