package engine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// openCall creates the steps of the pipeline that a node calls.
func (x *expansion) openCall(i int) {
	n := &x.graph.nodes[i]
	c := x.eval.program.CalledNamed(n.step.Call.Pipeline)
	params, f := x.eval.arguments(n, c)
	switch {
	case f != nil && f.skip:
		x.life.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
		x.sched.release(i)
		return
	case f == nil && len(x.graph.nodes)+len(c.Steps)+len(c.Finally) > maxNodes:
		f = &fault{reason: record.ReasonTooMany, message: "the run has too many steps"}
		fallthrough
	case f != nil:
		x.life.end(i, record.Failed, f.reason, f.message)
		x.sched.release(i)
		return
	}
	n.attempts++
	if n.attempts == 1 {
		x.begin(i)
	} else {
		x.graph.move(n, expanded)
		x.graph.replace(n.inner)
	}
	limits := x.graph.frames[n.frame].limits
	if c.MaxParallel > 0 {
		limits = append([]int{x.sched.newLimit(c.MaxParallel)}, limits...)
	}
	slots, again := x.graph.frames[n.frame].slots, x.graph.frames[n.frame].again || n.attempts > 1
	if n.step.Concurrency != nil {
		slots = append(slices.Clip(slots), x.graph.nodes[i].slot())
	}
	inner := x.graph.openFrame(frame{
		call: i, name: c.Name, steps: [2][]program.Step{c.Steps, c.Finally}, outputs: c.Outputs, onFailure: c.OnFailure,
		timeout: shortest(c.Timeout, n.step.Timeout), params: params, limits: limits, slots: slots, again: again,
	}, record.Address(n.addr), n.position)
	x.graph.nodes[i].inner = inner
	if t := x.graph.frames[inner].timeout.D(); t > 0 {
		x.out.act(SetTimer{Name: x.startTimer(inner), At: x.out.now.Add(t)})
	}
	x.life.frameChecks = append(x.life.frameChecks, inner)
	for _, group := range x.graph.frames[inner].nodes {
		for _, j := range group {
			x.arrive(j)
		}
	}
}

// arguments evaluates the params of a call.
func (ev *evaluator) arguments(n *node, c *program.Called) (_ map[string]*source, f *fault) {
	defer failAlone(&f, "inputs")
	params := map[string]*source{}
	inputs := map[string]*record.Datum{}
	for i := range n.step.Inputs {
		d, f := ev.input(n, &n.step.Inputs[i])
		if f != nil {
			return nil, f
		}
		inputs[d.Name] = &d
	}
	for i := range c.Params {
		p := &c.Params[i]
		t := ev.types[p.Type]
		d := inputs[p.Name]
		var s *source
		var err error
		switch {
		case d != nil && string(d.Value) == "null":
			s = known(cty.NullVal(t))
			err = p.Allows(d.Value)
		case d != nil:
			s = recorded(d, t)
			if err = s.check(); err == nil && d.Value != nil {
				err = p.Allows(d.Value)
			}
		case p.Default != nil:
			s, err = given(p.Name, p.Type, p.Default, t)
		default:
			err = fmt.Errorf("no value is given")
		}
		if not := (*program.NotAllowedError)(nil); errors.As(err, &not) {
			err = errors.New(not.Message)
		}
		if err != nil {
			return nil, &fault{reason: record.ReasonInputInvalid, message: fmt.Sprintf("param %q of the called pipeline: %s", p.Name, err)}
		}
		params[p.Name] = s
	}
	return params, nil
}

// callEnded ends a node whose called pipeline has ended.
func (x *expansion) callEnded(sc *frame) {
	i := sc.call
	status, reason, message := x.graph.outcome(sc)
	outputs, bad := x.eval.results(sc)
	if bad != "" && status == record.Succeeded {
		status, reason, message = record.Failed, record.ReasonOutputExpression, bad
	}
	x.graph.nodes[i].end.Outputs = outputs
	if status != record.Succeeded {
		x.graph.nodes[i].end.Outputs = nil // outputs of a failure are never visible
	}
	if n := &x.graph.nodes[i]; n.step.Retry.Attempts > 1 && (status == record.Failed || status == record.TimedOut) {
		n.lastResult = &record.Result{Status: status, Class: record.ClassUser, Reason: reason, Message: message}
		x.groups.leave(i)
		x.life.failedAttempt(i)
		x.sched.release(i)
		return
	}
	x.finishComposite(i, status, reason, message)
}

// startTimer returns the name of the timer for the timeout of a frame that starts. Each attempt of a call has its own timer, because
// timers are never withdrawn.
func (x *expansion) startTimer(inner int) string {
	n := &x.graph.nodes[x.graph.frames[inner].call]
	name := runTimer + "/" + n.addr
	if n.number() > 1 {
		name += "/" + strconv.Itoa(n.number())
	}
	x.timeouts[name] = inner
	return name
}

// timeoutOf describes the timeout of a called pipeline: its own, or that of the call.
func (g *graph) timeoutOf(k int) string {
	n := &g.nodes[g.frames[k].call]
	if n.step.Timeout > 0 && n.step.Timeout == g.frames[k].timeout {
		return "the call " + n.addr
	}
	return "the pipeline " + n.step.Call.Pipeline
}

// shortest returns the shorter of two timeouts. 0 means that there is none.
func shortest(a, b program.Duration) program.Duration {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// replace marks the nodes of a frame, with the nodes that they contain, as those of an earlier attempt of its call. They have ended.
func (g *graph) replace(k int) {
	for section := range g.frames[k].nodes {
		for _, i := range g.frames[k].nodes[section] {
			g.replaceNode(i)
		}
	}
}

func (g *graph) replaceNode(i int) {
	n := &g.nodes[i]
	n.replaced = true
	for _, child := range n.children {
		g.replaceNode(child)
	}
	if n.inner >= 0 {
		g.replace(n.inner)
	}
}

// refusal returns the approval because of which a pipeline failed, or nil. Its answer is final, so the pipeline would fail again.
func (g *graph) refusal(k int) *node {
	for section := range g.frames[k].failed {
		for _, i := range g.frames[k].failed[section] {
			n := &g.nodes[i]
			if n.kind == loop && len(n.children) > 0 {
				n = &g.nodes[n.children[len(n.children)-1]]
			}
			if n.kind == approval && n.answered() {
				return n
			}
			if n.inner >= 0 {
				if m := g.refusal(n.inner); m != nil {
					return m
				}
			}
		}
	}
	return nil
}
