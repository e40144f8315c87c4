package engine

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// endAsLastAttempt ends a step with the status of its last attempt. why is the reason why there is no further attempt, or "".
func (lc *lifecycle) endAsLastAttempt(i int, why string) {
	r := lc.graph.nodes[i].lastResult
	message := r.Message
	if why != "" {
		message = strings.TrimPrefix(message+"; ", "; ") + "not retried: " + why
	}
	lc.end(i, r.Status, r.Reason, message)
}

// end ends a node. settle releases its dependants later.
func (lc *lifecycle) end(i int, status record.Status, reason, message string) {
	lc.groups.leave(i)
	n := &lc.graph.nodes[i]
	lc.graph.move(n, ended)
	n.spec, n.lastResult = nil, nil
	n.end.Status, n.end.Reason, n.end.Message, n.end.EndedAt = status, reason, message, lc.out.now
	n.count()
	lc.ended = append(lc.ended, i)
	sc := &lc.graph.frames[n.frame]
	switch status {
	case record.Failed, record.TimedOut, record.Cancelled:
		if !n.step.ContinueOnFailure && n.stopping == "" && lc.graph.counts(n) {
			sc.failed[n.section] = append(sc.failed[n.section], i)
			lc.frameChecks = append(lc.frameChecks, n.frame)
		}
	}
	e := n.end
	lc.out.notify(record.Event{Type: record.StepEnded, Step: n.addr, Attempt: n.end.Attempt, End: &e})
	if !n.isStep() {
		lc.expansion.childEnded(n.parent, i)
		return
	}
	if sc.left[n.section]--; sc.left[n.section] == 0 {
		lc.frameChecks = append(lc.frameChecks, n.frame)
	}
}

// count sets how many attempts a node has had. Calls and approvals have no attempts with records of their own.
func (n *node) count() {
	switch {
	case n.kind == call && n.number() > 1:
		n.end.Calls = n.number()
	case n.kind == process:
		n.end.Attempts = n.number()
		if n.attempts > 0 {
			n.end.Attempt = n.number()
		}
	}
}

// counts reports whether the failure of n is listed as a failure of its pipeline. That of a round is reported by its loop, and
// that of a step with instances by each instance.
func (g *graph) counts(n *node) bool {
	if n.kind == fan {
		return len(n.children) == 0
	}
	return n.isStep() || g.nodes[n.parent].kind == fan
}

// outcome returns how a pipeline would end if nothing else failed.
func (g *graph) outcome(sc *frame) (status record.Status, reason, message string) {
	switch {
	case sc.cancelled:
		return record.Cancelled, record.ReasonCancelled, ""
	case sc.call >= 0 && g.nodes[sc.call].stopping != "":
		return record.Cancelled, record.ReasonCancelled, g.nodes[sc.call].stopping
	case sc.timedOut:
		return record.TimedOut, record.ReasonRunTimeout, sc.halted[0]
	case len(sc.failed[0]) > 0:
		return record.Failed, record.ReasonStepsFailed, g.name(sc.failed[0])
	case len(sc.failed[1]) > 0:
		return record.Failed, record.ReasonFinallyFailed, g.name(sc.failed[1])
	}
	return record.Succeeded, "", ""
}

// name lists how a few nodes ended, and how many more there are.
func (g *graph) name(failed []int) string {
	const few = 3
	var parts []string
	for _, i := range failed[:min(few, len(failed))] {
		parts = append(parts, g.nodes[i].outcome())
	}
	if more := len(failed) - few; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// finish ends the run.
func (lc *lifecycle) finish() {
	lc.over = true
	root := &lc.graph.frames[0]
	end := record.End{Version: record.Version, At: lc.out.now, Steps: lc.graph.stepEnds()}
	end.Status, end.Reason, end.Message = lc.graph.outcome(root)
	outputs, bad := lc.eval.results(root)
	end.Outputs = outputs
	if bad != "" && end.Status == record.Succeeded {
		end.Status, end.Reason, end.Message = record.Failed, record.ReasonOutputExpression, bad
	}
	lc.out.act(End{end})
}

// stepEnds returns the state of each step; see State.Steps.
func (g *graph) stepEnds() []record.StepEnd {
	order := make([]int, 0, len(g.nodes))
	for i := range g.nodes {
		if g.nodes[i].phase != absent && !g.nodes[i].replaced {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return slices.Compare(g.nodes[a].position, g.nodes[b].position) })
	out := make([]record.StepEnd, len(order))
	for k, i := range order {
		n := &g.nodes[i]
		if n.phase != ended {
			n.count()
		}
		out[k] = n.end
		switch {
		case n.phase == ended:
		case n.attempts > 0 || n.phase == expanded || n.phase == unanswered:
			out[k].Status = record.Running
		default:
			out[k].Status = record.Pending
		}
	}
	return out
}

// results evaluates the outputs of a pipeline. bad is the first error.
func (ev *evaluator) results(sc *frame) (out []record.Datum, bad string) {
	for i := range sc.outputs {
		d, err := ev.output(sc, &sc.outputs[i])
		switch {
		case d != nil:
			out = append(out, *d)
		case err != nil && bad == "":
			bad = fmt.Sprintf("output %q: %s", sc.outputs[i].Name, err)
		}
	}
	return out, bad
}

// output evaluates an output of a pipeline. It returns neither a datum nor an error if a step that the output reads has none.
func (ev *evaluator) output(sc *frame, out *program.Result) (*record.Datum, error) {
	r := reader{ev: ev, frame: sc, value: &out.Value}
	v, passed, err := r.pass(out.Name, out.Type, ev.types[out.Type])
	if passed != nil {
		return passed, nil
	}
	if r.failed || r.missing != "" && (err != nil || v.IsNull()) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := encode(out.Name, out.Type, ev.types[out.Type], v)
	if err != nil {
		return nil, err
	}
	return &d, nil
}
