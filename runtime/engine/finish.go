package engine

import (
	"fmt"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// endAsLast ends a step as its last attempt ended. why says what keeps it from another one, if that is worth saying.
func (s *State) endAsLast(i int, why string) {
	r := s.nodes[i].last
	message := r.Message
	if why != "" {
		message = strings.TrimPrefix(message+"; ", "; ") + "not tried again: " + why
	}
	s.end(i, r.Status, r.Reason, message)
}

// end ends a step. Its dependants are told by settle.
func (s *State) end(i int, status record.Status, reason, message string) {
	n := &s.nodes[i]
	n.phase, n.spec = ended, nil
	n.end.Status, n.end.Reason, n.end.Message, n.end.EndedAt = status, reason, message, s.now
	n.end.Attempts = n.attempts
	if n.attempts > 0 {
		n.end.Attempt = n.attempts
	}
	s.left[n.group]--
	s.ended = append(s.ended, i)
	switch status {
	case record.Failed, record.TimedOut, record.Cancelled:
		if !n.step.ContinueOnFailure && n.stopping == "" {
			s.failed[n.group] = append(s.failed[n.group], i)
		}
	}
	e := n.end
	s.notify(record.Event{Type: record.StepEnded, Step: n.step.Name, Attempt: n.end.Attempt, End: &e})
}

// outcome is how the run would end if nothing else went wrong.
func (s *State) outcome() (status record.Status, reason, message string) {
	switch {
	case s.cancels > 0:
		return record.Cancelled, record.ReasonCancelled, ""
	case s.timedOut:
		return record.TimedOut, record.ReasonRunTimeout, s.halted[0]
	case len(s.failed[0]) > 0:
		return record.Failed, record.ReasonStepsFailed, s.name(s.failed[0])
	case len(s.failed[1]) > 0:
		return record.Failed, record.ReasonFinallyFailed, s.name(s.failed[1])
	}
	return record.Succeeded, "", ""
}

// name says of a few steps how they ended, and how many more there are.
func (s *State) name(failed []int) string {
	const few = 3
	var parts []string
	for _, i := range failed[:min(few, len(failed))] {
		parts = append(parts, s.nodes[i].outcome())
	}
	if more := len(failed) - few; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// finish ends the run.
func (s *State) finish() {
	s.over = true
	end := record.End{Version: record.Version, At: s.now, Steps: make([]record.StepEnd, 0, len(s.nodes))}
	end.Status, end.Reason, end.Message = s.outcome()
	for i := range s.nodes {
		if s.nodes[i].phase == ended {
			end.Steps = append(end.Steps, s.nodes[i].end)
		}
	}
	for i := range s.program.Outputs {
		out := &s.program.Outputs[i]
		d, err := s.output(out)
		switch {
		case d != nil:
			end.Outputs = append(end.Outputs, *d)
		case err != nil && end.Status == record.Succeeded:
			end.Status, end.Reason = record.Failed, record.ReasonOutputExpression
			end.Message = fmt.Sprintf("output %q: %s", out.Name, err)
		}
	}
	s.act(End{end})
}

// output evaluates an output of the pipeline. Where a step that it reads has none, there is neither it nor an error.
func (s *State) output(out *program.Result) (*record.Datum, error) {
	r := reader{s: s, value: &out.Value}
	v, err := r.eval()
	if r.failed || r.missing != "" && (err != nil || v.IsNull()) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := encode(out.Name, out.Type, s.types[out.Type], v)
	if err != nil {
		return nil, err
	}
	return &d, nil
}
