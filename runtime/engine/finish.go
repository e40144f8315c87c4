package engine

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// endAsLastAttempt ends a step as its last attempt ended. why says what keeps it from another one, if that is worth saying.
func (s *State) endAsLastAttempt(i int, why string) {
	r := s.nodes[i].lastResult
	message := r.Message
	if why != "" {
		message = strings.TrimPrefix(message+"; ", "; ") + "not tried again: " + why
	}
	s.end(i, r.Status, r.Reason, message)
}

// end ends a step. Its dependants are told by settle.
func (s *State) end(i int, status record.Status, reason, message string) {
	s.leave(i)
	n := &s.nodes[i]
	n.phase, n.spec = ended, nil
	n.end.Status, n.end.Reason, n.end.Message, n.end.EndedAt = status, reason, message, s.now
	n.end.Attempts = n.attempts
	if n.attempts > 0 {
		n.end.Attempt = n.attempts
	}
	s.ended = append(s.ended, i)
	sc := &s.frames[n.frame]
	switch status {
	case record.Failed, record.TimedOut, record.Cancelled:
		if !n.step.ContinueOnFailure && n.stopping == "" && s.counts(n) {
			sc.failed[n.section] = append(sc.failed[n.section], i)
			s.frameChecks = append(s.frameChecks, n.frame)
		}
	}
	e := n.end
	s.notify(record.Event{Type: record.StepEnded, Step: n.addr, Attempt: n.end.Attempt, End: &e})
	if !n.isStep() {
		s.childEnded(n.parent, i)
		return
	}
	if sc.left[n.section]--; sc.left[n.section] == 0 {
		s.frameChecks = append(s.frameChecks, n.frame)
	}
}

// counts says whether n's failure is one of its pipeline's: a round's is that of the loop, and that of a step with
// instances is theirs, each as soon as it has failed.
func (s *State) counts(n *node) bool {
	if n.kind == fan {
		return len(n.children) == 0
	}
	return n.isStep() || s.nodes[n.parent].kind == fan
}

// outcome is how the run, or a pipeline that is called, would end if nothing else went wrong.
func (s *State) outcome(sc *frame) (status record.Status, reason, message string) {
	switch {
	case sc.call < 0 && s.cancels > 0:
		return record.Cancelled, record.ReasonCancelled, ""
	case sc.call >= 0 && s.nodes[sc.call].stopping != "":
		return record.Cancelled, record.ReasonCancelled, s.nodes[sc.call].stopping
	case sc.timedOut:
		return record.TimedOut, record.ReasonRunTimeout, sc.halted[0]
	case len(sc.failed[0]) > 0:
		return record.Failed, record.ReasonStepsFailed, s.name(sc.failed[0])
	case len(sc.failed[1]) > 0:
		return record.Failed, record.ReasonFinallyFailed, s.name(sc.failed[1])
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
	root := &s.frames[0]
	end := record.End{Version: record.Version, At: s.now, Steps: s.Steps()}
	end.Status, end.Reason, end.Message = s.outcome(root)
	outputs, bad := s.results(root)
	end.Outputs = outputs
	if bad != "" && end.Status == record.Succeeded {
		end.Status, end.Reason, end.Message = record.Failed, record.ReasonOutputExpression, bad
	}
	s.act(End{end})
}

// Len is how many steps, instances and rounds the run has so far.
func (s *State) Len() int { return len(s.nodes) }

// Steps says how each step stands, in the order of the program: behind a step its instances, its rounds, and the steps
// that it calls. Those outside of `run --step` are not among them.
func (s *State) Steps() []record.StepEnd {
	order := make([]int, 0, len(s.nodes))
	for i := range s.nodes {
		if s.nodes[i].phase != absent {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return slices.Compare(s.nodes[a].position, s.nodes[b].position) })
	out := make([]record.StepEnd, len(order))
	for k, i := range order {
		n := &s.nodes[i]
		out[k] = n.end
		switch {
		case n.phase == ended:
		case n.attempts > 0 || n.phase == expanded || n.phase == unanswered:
			out[k].Status, out[k].Attempts, out[k].Attempt = record.Running, n.attempts, n.attempts
		default:
			out[k].Status = record.Pending
		}
	}
	return out
}

// results evaluates the outputs of a pipeline. bad says what went wrong with one of them.
func (s *State) results(sc *frame) (out []record.Datum, bad string) {
	for i := range sc.outputs {
		d, err := s.output(sc, &sc.outputs[i])
		switch {
		case d != nil:
			out = append(out, *d)
		case err != nil && bad == "":
			bad = fmt.Sprintf("output %q: %s", sc.outputs[i].Name, err)
		}
	}
	return out, bad
}

// output evaluates an output of the pipeline. Where a step that it reads has none, there is neither it nor an error.
func (s *State) output(sc *frame, out *program.Result) (*record.Datum, error) {
	r := reader{s: s, frame: sc, value: &out.Value}
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
