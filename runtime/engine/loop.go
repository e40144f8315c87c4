package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// openLoop starts the rounds of a node.
func (x *expansion) openLoop(i int) {
	x.begin(i)
	x.openRound(i, nil)
}

func (x *expansion) openRound(i int, carried map[string]*source) {
	n := &x.graph.nodes[i]
	number := len(n.children) + 1
	limits := x.graph.frames[n.frame].limits
	role := kindOf(n.step, true, true)
	if role == call {
		limits = nil
	}
	n.openChildren++
	child := x.graph.add(node{
		step: n.step, kind: role, addr: record.Address(n.addr).RoundAt(number).String(), frame: n.frame, section: n.section, parent: i,
		position: append(slices.Clip(n.position), int32(number)), limits: limits, phase: pending, key: n.key, item: n.item, element: n.element, carried: carried,
	})
	n = &x.graph.nodes[i]
	n.children = append(n.children, child)
	x.arrive(child)
}

// roundEnded starts the next round, or ends the node.
func (x *expansion) roundEnded(i, child int) {
	n, m := &x.graph.nodes[i], &x.graph.nodes[child]
	repeat := n.step.Repeat
	n.end.Outputs, n.end.ExitCode = m.end.Outputs, m.end.ExitCode
	done := len(n.children) >= repeat.Max
	if m.end.Status != record.Succeeded {
		if m.end.Status == record.Skipped {
			n.rootCause, n.end.Because = m.rootCause, m.end.Because
		}
		message := m.end.Message
		if len(n.children) > 1 {
			message = strings.TrimSuffix(fmt.Sprintf("in round %d: %s", len(n.children), message), ": ")
		}
		x.finishComposite(i, m.end.Status, m.end.Reason, message)
		return
	}
	own, err := x.eval.roundOutputs(m)
	if err == nil && repeat.Until != nil && !done {
		r := reader{ev: x.eval, node: m, value: repeat.Until, own: own}
		if done, err = r.bool(); err != nil {
			err = fmt.Errorf("repeat.until: %w%s", err, m.leaves(repeat.Until))
		}
	}
	if err != nil {
		x.finishComposite(i, record.Failed, record.ReasonExpression, err.Error())
		return
	}
	why := n.stopping
	if why == "" {
		why = x.graph.frames[n.frame].halted[n.section]
	}
	switch {
	case done:
		x.finishComposite(i, record.Succeeded, "", "")
	case why != "":
		x.finishComposite(i, record.Cancelled, record.ReasonCancelled, why)
	case len(x.graph.nodes) >= maxNodes:
		x.finishComposite(i, record.Failed, record.ReasonTooMany, "the run has too many steps")
	default:
		carried := map[string]*source{}
		for k := range repeat.Carry {
			r := reader{ev: x.eval, node: m, value: &repeat.Carry[k].Value, own: own}
			v, s, err := r.carry()
			if left := m.leaves(&repeat.Carry[k].Value); err == nil && v.IsNull() && left != "" && !hasDefault(n.step, repeat.Carry[k].Name) {
				err = errors.New("the value is null" + left)
			}
			if err != nil {
				x.finishComposite(i, record.Failed, record.ReasonExpression, fmt.Sprintf("repeat.carry %q: %s", repeat.Carry[k].Name, err))
				return
			}
			carried[repeat.Carry[k].Name] = s
		}
		x.openRound(i, carried)
	}
}

// roundOutputs returns the values that until and carry read of a round.
func (ev *evaluator) roundOutputs(m *node) (map[string]*source, error) {
	own := map[string]*source{}
	for i := range m.step.Outputs {
		out := &m.step.Outputs[i]
		if m.datum(out.Name) == nil {
			own["output."+out.Name] = known(cty.NullVal(ev.types[out.Type])) // omitted
			if out.Default != nil {
				s, err := given(out.Name, out.Type, out.Default, ev.types[out.Type])
				if err != nil {
					return nil, err
				}
				own["output."+out.Name] = s
			}
			continue
		}
		own["output."+out.Name] = recorded(m.datum(out.Name), ev.types[out.Type])
	}
	for i := range m.spec.inputs() {
		d := &m.spec.Inputs[i]
		if t := ev.types[d.Type]; d.Value != nil && !types.HasArtifact(t) {
			if s, err := given(d.Name, d.Type, d.Value, t); err == nil {
				own["input."+d.Name] = s
			}
		}
	}
	return own, nil
}

// hasDefault reports whether an input has a default.
func hasDefault(s *program.Step, input string) bool {
	return slices.ContainsFunc(s.Inputs, func(in program.Input) bool { return in.Name == input && in.Default != nil })
}

// leaves returns, for the error of an expression that reads a round, which output the round has omitted.
func (n *node) leaves(v *program.Value) string {
	for _, ref := range v.Refs() {
		if name, ok := strings.CutPrefix(ref, "output."); ok && n.datum(name) == nil {
			return fmt.Sprintf(" (%s did not write its output %s)", n.addr, name)
		}
	}
	return ""
}

func (sp *Spec) inputs() []record.Datum {
	if sp == nil {
		return nil
	}
	return sp.Inputs
}
