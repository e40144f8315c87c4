package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// New makes the state of a run that has not started. limit bounds the attempts at once, together with the program's
// own bound; 0 adds none. The error says why this program can't be run: the compiler lets none such pass.
func New(p *program.Program, run *record.Run, limit int) (*State, error) {
	if p == nil || run == nil {
		return nil, errors.New("engine: a program and a run are needed")
	}
	s := &State{
		program: p, run: run, byAddr: map[string]int{}, types: map[string]cty.Type{}, timers: map[string]int{},
		kept: map[string]record.Event{},
	}
	s.newLimit(bound(limit, p.MaxParallel))
	for _, build := range []func() error{s.check, s.addRoot, s.choose, s.readParams, s.readEarlier} {
		if err := build(); err != nil {
			return nil, fmt.Errorf("engine: %w", err)
		}
	}
	return s, nil
}

// bound is the smaller one of two bounds, where zero and less is none.
func bound(a, b int) int {
	const none = int(^uint(0) >> 1)
	if a <= 0 {
		a = none
	}
	if b <= 0 {
		b = none
	}
	return min(a, b)
}

// check looks at the program and at the pipelines that it calls.
func (s *State) check() error {
	p := s.program
	if err := s.checkPipeline(p.OnFailure, p.Params, p.Steps, p.Finally, p.Outputs); err != nil {
		return err
	}
	names := map[string]bool{}
	for i := range p.Called {
		c := &p.Called[i]
		if names[c.Name] {
			return fmt.Errorf("two called pipelines are named %q", c.Name)
		}
		names[c.Name] = true
		if err := s.checkPipeline(c.OnFailure, c.Params, c.Steps, c.Finally, c.Outputs); err != nil {
			return fmt.Errorf("the called pipeline %q: %w", c.Name, err)
		}
	}
	return s.checkCalls()
}

func (s *State) checkPipeline(onFailure string, params []program.Param, steps, finally []program.Step, outputs []program.Result) error {
	switch onFailure {
	case "", "continue", "stop", "abort":
	default:
		return fmt.Errorf("on_failure is %q, which is none of continue, stop and abort", onFailure)
	}
	g, err := newNeedGraph(steps, finally)
	if err != nil {
		return err
	}
	if err := g.cycles(); err != nil {
		return err
	}
	var errs []error
	read := func(where, name, text string) { errs = append(errs, s.readType(where, name, text)) }
	for _, st := range g.steps {
		for _, in := range st.Inputs {
			read("input", in.Name, in.Type)
		}
		for _, out := range st.Outputs {
			read("output", out.Name, out.Type)
		}
		if st.ForEach != nil {
			read("for_each of", st.Name, st.ForEach.Type)
			if t := s.types[st.ForEach.Type]; t != cty.NilType && !t.IsListType() && !t.IsSetType() && !t.IsMapType() && t != cty.DynamicPseudoType {
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

// readType reads a type of the program once.
func (s *State) readType(where, name, text string) error {
	if _, ok := s.types[text]; ok {
		return nil
	}
	t, err := types.ParseString(text)
	if err != nil {
		return fmt.Errorf("%s %q: %w", where, name, err)
	}
	s.types[text] = t
	return nil
}

// checkCalls finds calls of what isn't there, and pipelines that call themselves.
func (s *State) checkCalls() error {
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
				c := s.program.CalledNamed(to)
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
	return visit("", s.program.Steps, s.program.Finally)
}

// addRoot makes the nodes of the program itself.
func (s *State) addRoot() error {
	p := s.program
	s.openFrame(frame{call: -1, steps: [2][]program.Step{p.Steps, p.Finally}, outputs: p.Outputs, onFailure: p.OnFailure, timeout: p.Timeout, limits: []int{0}}, "", nil)
	return nil
}

// openFrame makes the nodes of a pipeline, the steps and then finally's, each sorted by name: the order in which ready ones
// start. caller is the address of the step that calls the pipeline, "" for the
// program itself, and at is the place of that step.
func (s *State) openFrame(sc frame, caller record.Address, at position) int {
	n := len(s.frames)
	sc.byName = make(map[string]int, len(sc.steps[0])+len(sc.steps[1]))
	for group := range sc.steps {
		sorted := make([]*program.Step, len(sc.steps[group]))
		for i := range sc.steps[group] {
			sorted[i] = &sc.steps[group][i]
		}
		slices.SortStableFunc(sorted, func(a, b *program.Step) int { return cmp.Compare(a.Name, b.Name) })
		for _, st := range sorted {
			addr := record.Address(st.Name)
			if caller != "" {
				addr = caller.Child(st.Name)
			}
			role, limits := kindOf(st, false, false), sc.limits
			if role == call || role == loop {
				limits = nil // it is its attempts that take places
			}
			i := s.add(node{
				step: st, kind: role, addr: addr.String(), frame: n, section: group, parent: -1, phase: pending,
				position: append(slices.Clip(at), int32(len(sc.byName))), limits: limits, key: cty.NilVal, item: cty.NilVal,
			})
			sc.byName[st.Name] = i
			sc.nodes[group] = append(sc.nodes[group], i)
			sc.left[group]++
			if group == 1 {
				s.nodes[i].blockers++ // for all steps
			}
		}
	}
	s.frames = append(s.frames, sc)
	if sc.call >= 0 {
		s.link(n)
	}
	return n
}

// choose marks the steps that this run has not, and those whose results are to be kept.
func (s *State) choose() error {
	root := &s.frames[0]
	only := map[string]bool{}
	for _, name := range s.run.Only {
		if _, ok := root.byName[name]; !ok {
			return fmt.Errorf("there is no step %q to run", name)
		}
		only[name] = true
	}
	for i := range s.nodes {
		if n := &s.nodes[i]; len(only) > 0 && !only[n.step.Name] {
			n.phase = absent
			root.left[n.section]--
		}
	}
	for _, name := range s.run.Kept {
		i, ok := root.byName[name]
		if !ok {
			return fmt.Errorf("there is no step %q whose result could be kept", name)
		}
		// Of a step with steps of its own, it is theirs that are kept, when they are made.
		if n := &s.nodes[i]; n.phase != absent && !n.awaitsKept && (n.kind == process || n.kind == approval) {
			n.awaitsKept = true
			n.blockers++ // for StepKept
		}
	}
	s.link(0)
	return nil
}

// link enters each step of a scope with those that it waits for. What an instance alone waits for comes when it is made.
func (s *State) link(sc int) {
	for _, group := range s.frames[sc].nodes {
		for _, i := range group {
			for _, need := range s.nodes[i].step.Needs {
				if need.Instance != expr.EachKey {
					s.await(i, s.frames[sc].byName[need.Step], need.Instance)
				}
			}
		}
	}
}

// await has node i wait for the end of j, or of the instance of it with a key.
func (s *State) await(i, j int, instance string) {
	n, m := &s.nodes[i], &s.nodes[j]
	if instance != "" && m.kind == fan && m.phase != absent && m.phase != ended {
		key := record.Key(instance).Text()
		if instance == expr.EachKey {
			key = expr.Key(n.key)
		}
		if m.phase != expanded {
			m.instanceWaiters = append(m.instanceWaiters, instanceWaiter{i, key})
			n.blockers++
			return
		}
		child, ok := m.byKey[key]
		if !ok {
			return // reading it will tell
		}
		j = child
		m = &s.nodes[j]
	}
	m.dependants = append(m.dependants, i)
	if n.phase != absent && m.phase != absent && m.phase != ended {
		n.blockers++
	}
}

// needGraph is the steps of a pipeline with what they need.
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
			return nil, fmt.Errorf("the program has two steps with the name %q, or one without", st.Name)
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
				return nil, fmt.Errorf("step %q needs an instance of %q for each of its own, and has none", st.Name, need.Step)
			}
			switch need.Kind {
			case program.NeedOutput, program.NeedOrder, program.NeedSoft, program.NeedStatus:
			default:
				return nil, fmt.Errorf("step %q needs %q in a way that is not known: %q", st.Name, need.Step, need.Kind)
			}
			g.out[j] = append(g.out[j], i)
		}
	}
	return g, nil
}

// cycles takes away, again and again, what needs nothing that is left. What remains holds a cycle.
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

// readParams decodes what the run was started with.
func (s *State) readParams() error {
	root := &s.frames[0]
	root.params, root.data = map[string]cty.Value{}, map[string]*record.Datum{}
	for i := range s.run.Imports {
		root.data[s.run.Imports[i].Name] = &s.run.Imports[i].Datum
	}
	for _, p := range s.program.Params {
		if d := root.data[p.Name]; d != nil {
			v, err := decode(d, s.types[p.Type])
			if err != nil {
				return fmt.Errorf("param %q: %w", p.Name, err)
			}
			root.params[p.Name] = v
			continue
		}
		data, ok := s.run.Params[p.Name]
		if !ok {
			data = p.Default
		}
		if data == nil {
			return fmt.Errorf("the run has no value for param %q", p.Name)
		}
		v, err := constant(data, s.types[p.Type])
		if err != nil {
			return fmt.Errorf("param %q: %w", p.Name, err)
		}
		s.frames[0].params[p.Name] = v
	}
	return nil
}
