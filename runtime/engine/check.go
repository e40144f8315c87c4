package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

// checker finds what prevents a program from being run. The compiler accepts no such program.
type checker struct {
	program *program.Program
	types   typeTable // filled with all types of the program
}

// check checks the program and the pipelines that it calls.
func (ch *checker) check() error {
	p := ch.program
	if err := ch.checkPipeline(p.OnFailure, p.Params, p.Steps, p.Finally, p.Outputs); err != nil {
		return err
	}
	names := map[string]bool{}
	for i := range p.Called {
		c := &p.Called[i]
		if names[c.Name] {
			return fmt.Errorf("two called pipelines are named %q", c.Name)
		}
		names[c.Name] = true
		if err := ch.checkPipeline(c.OnFailure, c.Params, c.Steps, c.Finally, c.Outputs); err != nil {
			return fmt.Errorf("the called pipeline %q: %w", c.Name, err)
		}
	}
	return ch.checkCalls()
}

func (ch *checker) checkPipeline(onFailure string, params []program.Param, steps, finally []program.Step, outputs []program.Result) error {
	switch onFailure {
	case "", "continue", "stop", "abort":
	default:
		return fmt.Errorf("on_failure must be continue, stop or abort, found %q", onFailure)
	}
	g, err := newNeedGraph(steps, finally)
	if err != nil {
		return err
	}
	if err := g.cycles(); err != nil {
		return err
	}
	var errs []error
	read := func(where, name, text string) { errs = append(errs, ch.types.read(where, name, text)) }
	for _, st := range g.steps {
		for _, in := range st.Inputs {
			read("input", in.Name, in.Type)
		}
		for _, out := range st.Outputs {
			read("output", out.Name, out.Type)
		}
		if st.ForEach != nil {
			read("for_each of", st.Name, st.ForEach.Type)
			if t := ch.types[st.ForEach.Type]; t != cty.NilType && !t.IsListType() && !t.IsSetType() && !t.IsMapType() && t != cty.DynamicPseudoType {
				errs = append(errs, fmt.Errorf("for_each of %q is %s, which has no elements", st.Name, st.ForEach.Type))
			}
		}
		if st.Repeat != nil && st.Repeat.Max < 1 {
			errs = append(errs, fmt.Errorf("step %q repeats less than once", st.Name))
		}
	}
	for _, p := range params {
		read("param", p.Name, p.Type)
	}
	for _, r := range outputs {
		read("output", r.Name, r.Type)
	}
	return errors.Join(errs...)
}

// checkCalls finds calls of pipelines that do not exist, and pipelines that call themselves.
func (ch *checker) checkCalls() error {
	const entered, left = 1, 2
	state := map[string]int{}
	var visit func(name string, steps ...[]program.Step) error
	visit = func(name string, lists ...[]program.Step) error {
		state[name] = entered
		for _, steps := range lists {
			for i := range steps {
				if steps[i].Call == nil {
					continue
				}
				to := steps[i].Call.Pipeline
				c := ch.program.CalledNamed(to)
				switch {
				case c == nil:
					return fmt.Errorf("step %q calls %q, which is not in the program", steps[i].Name, to)
				case state[to] == entered:
					return fmt.Errorf("the pipeline %q calls itself", to)
				case state[to] == left:
				default:
					if err := visit(to, c.Steps, c.Finally); err != nil {
						return err
					}
				}
			}
		}
		state[name] = left
		return nil
	}
	return visit("", ch.program.Steps, ch.program.Finally)
}

// needGraph holds the steps of a pipeline with the steps that need them.
type needGraph struct {
	steps  []*program.Step
	byName map[string]int
	out    [][]int
}

func newNeedGraph(steps, finally []program.Step) (*needGraph, error) {
	g := &needGraph{byName: map[string]int{}}
	for i := range steps {
		g.steps = append(g.steps, &steps[i])
	}
	for i := range finally {
		g.steps = append(g.steps, &finally[i])
	}
	g.out = make([][]int, len(g.steps))
	for i, st := range g.steps {
		if _, twice := g.byName[st.Name]; twice || st.Name == "" || strings.ContainsAny(st.Name, ".[#") {
			return nil, fmt.Errorf("the program has two steps with the name %q, or a step without a name", st.Name)
		}
		g.byName[st.Name] = i
	}
	for i, st := range g.steps {
		for _, need := range st.Needs {
			j, ok := g.byName[need.Step]
			switch {
			case !ok:
				return nil, fmt.Errorf("step %q needs %q, which does not exist", st.Name, need.Step)
			case j >= len(steps) && i < len(steps):
				return nil, fmt.Errorf("step %q needs %q, which is a step of finally", st.Name, need.Step)
			case need.Instance == expr.EachKey && st.ForEach == nil:
				return nil, fmt.Errorf("step %q needs an instance of %q for each of its own instances, but has no for_each", st.Name, need.Step)
			}
			switch need.Kind {
			case program.NeedOutput, program.NeedOrder, program.NeedSoft, program.NeedStatus:
			default:
				return nil, fmt.Errorf("step %q needs %q in an unknown way: %q", st.Name, need.Step, need.Kind)
			}
			g.out[j] = append(g.out[j], i)
		}
	}
	return g, nil
}

// cycles repeatedly removes steps that need none of the remaining ones. If steps remain, they contain a cycle.
func (g *needGraph) cycles() error {
	needs := make([]int, len(g.steps))
	var free []int
	for i, st := range g.steps {
		if needs[i] = len(st.Needs); needs[i] == 0 {
			free = append(free, i)
		}
	}
	for done := 0; done < len(free); done++ {
		for _, d := range g.out[free[done]] {
			if needs[d]--; needs[d] == 0 {
				free = append(free, d)
			}
		}
	}
	if len(free) == len(g.steps) {
		return nil
	}
	at := slices.IndexFunc(needs, func(n int) bool { return n > 0 })
	var path []string
	for seen := map[int]int{}; ; {
		if from, again := seen[at]; again {
			path = path[from:]
			break
		}
		seen[at] = len(path)
		path = append(path, g.steps[at].Name)
		for _, need := range g.steps[at].Needs {
			if j := g.byName[need.Step]; needs[j] > 0 {
				at = j
				break
			}
		}
	}
	first := slices.Index(path, slices.Min(path))
	path = append(path[first:], path[:first]...)
	return fmt.Errorf("steps need each other in a cycle: %s -> %s", strings.Join(path, " -> "), path[0])
}
