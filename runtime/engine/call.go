package engine

import (
	"errors"
	"fmt"
	"slices"

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
	x.begin(i)
	limits := x.graph.frames[n.frame].limits
	if c.MaxParallel > 0 {
		limits = append([]int{x.sched.newLimit(c.MaxParallel)}, limits...)
	}
	slots := x.graph.frames[n.frame].slots
	if n.step.Concurrency != nil {
		slots = append(slices.Clip(slots), x.graph.nodes[i].slot())
	}
	inner := x.graph.openFrame(frame{
		call: i, name: c.Name, steps: [2][]program.Step{c.Steps, c.Finally}, outputs: c.Outputs, onFailure: c.OnFailure,
		timeout: c.Timeout, params: params, limits: limits, slots: slots,
	}, record.Address(n.addr), n.position)
	x.graph.nodes[i].inner = inner
	if t := c.Timeout.D(); t > 0 {
		x.out.act(SetTimer{Name: runTimer + "/" + x.graph.nodes[i].addr, At: x.out.now.Add(t)})
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
	x.finishComposite(i, status, reason, message)
}
