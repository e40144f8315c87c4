package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// phase says where a node is on its way.
type phase uint8

const (
	absent   phase = iota // outside of `run --step`
	pending               // waits for others
	ready                 // waits for room
	checking              // waits for the cache's answer
	running               // has an attempt that has not ended
	waiting               // waits for the time of its next attempt
	ended
)

// node is a step in a run.
type node struct {
	step       *program.Step
	group      int // 0: a step, 1: of finally
	phase      phase
	waits      int   // what has to happen before it is decided whether it runs
	dependants []int // nodes that wait for its end; one entry a need
	held       bool  // its result may yet be taken over from the run that this one reruns

	spec     *Spec // from its first start to its end
	stopping string
	attempts int
	users    int // failures of the user's
	infra    int // failures of the infrastructure's
	ooms     int
	last     *record.Result // of the attempt that ended last

	end    record.StepEnd
	root   string // skipped: what it comes down to, as dependants say it
	values []cty.Value
}

// New makes the state of a run that has not started. limit bounds the attempts at once, together with the program's
// own bound; 0 adds none. The error says why this program can't be run: the compiler lets none such pass.
func New(p *program.Program, run *record.Run, limit int) (*State, error) {
	if p == nil || run == nil {
		return nil, errors.New("engine: a program and a run are needed")
	}
	s := &State{
		program: p, run: run, limit: bound(limit, p.MaxParallel),
		byName: map[string]int{}, types: map[string]cty.Type{}, params: map[string]cty.Value{}, timers: map[string]int{},
	}
	switch p.OnFailure {
	case "", "continue", "stop", "abort":
	default:
		return nil, fmt.Errorf("engine: on_failure is %q, which is none of continue, stop and abort", p.OnFailure)
	}
	for _, build := range []func() error{s.addNodes, s.choose, s.link, s.checkCycles, s.readTypes, s.readParams} {
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

func (s *State) addNodes() error {
	for group, steps := range [][]program.Step{s.program.Steps, s.program.Finally} {
		first := len(s.nodes)
		for i := range steps {
			s.nodes = append(s.nodes, node{step: &steps[i], group: group, phase: pending, end: record.StepEnd{Name: steps[i].Name}})
		}
		slices.SortStableFunc(s.nodes[first:], func(a, b node) int { return cmp.Compare(a.step.Name, b.step.Name) })
	}
	s.steps = len(s.program.Steps)
	for i := range s.nodes {
		name := s.nodes[i].step.Name
		if _, twice := s.byName[name]; twice || name == "" {
			return fmt.Errorf("the program has two steps with the name %q, or one without", name)
		}
		s.byName[name] = i
	}
	return nil
}

// choose marks the steps that this run has not, and those whose results are to be kept.
func (s *State) choose() error {
	only := map[string]bool{}
	for _, name := range s.run.Only {
		if _, ok := s.byName[name]; !ok {
			return fmt.Errorf("there is no step %q to run", name)
		}
		only[name] = true
	}
	for i := range s.nodes {
		n := &s.nodes[i]
		if len(only) > 0 && !only[n.step.Name] {
			n.phase = absent
			continue
		}
		s.left[n.group]++
		if n.group == 1 {
			n.waits++ // for all steps
		}
	}
	for _, name := range s.run.Kept {
		i, ok := s.byName[name]
		if !ok {
			return fmt.Errorf("there is no step %q whose result could be kept", name)
		}
		if n := &s.nodes[i]; n.phase != absent && !n.held {
			n.held = true
			n.waits++ // for StepKept
		}
	}
	return nil
}

// link enters each step with those that it waits for.
func (s *State) link() error {
	for i := range s.nodes {
		n := &s.nodes[i]
		for _, need := range n.step.Needs {
			j, ok := s.byName[need.Step]
			switch {
			case !ok:
				return fmt.Errorf("step %q needs %q, which does not exist", n.step.Name, need.Step)
			case s.nodes[j].group > n.group:
				return fmt.Errorf("step %q needs %q, which is a step of finally", n.step.Name, need.Step)
			}
			switch need.Kind {
			case program.NeedOutput, program.NeedOrder, program.NeedSoft, program.NeedStatus:
			default:
				return fmt.Errorf("step %q needs %q in a way that is not known: %q", n.step.Name, need.Step, need.Kind)
			}
			s.nodes[j].dependants = append(s.nodes[j].dependants, i)
			if n.phase != absent && s.nodes[j].phase != absent {
				n.waits++
			}
		}
	}
	return nil
}

// checkCycles takes away, again and again, what needs nothing that is left. What remains holds a cycle.
func (s *State) checkCycles() error {
	needs := make([]int, len(s.nodes))
	var free []int
	for i := range s.nodes {
		if needs[i] = len(s.nodes[i].step.Needs); needs[i] == 0 {
			free = append(free, i)
		}
	}
	for done := 0; done < len(free); done++ {
		for _, d := range s.nodes[free[done]].dependants {
			if needs[d]--; needs[d] == 0 {
				free = append(free, d)
			}
		}
	}
	if len(free) == len(s.nodes) {
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
		path = append(path, s.nodes[at].step.Name)
		for _, need := range s.nodes[at].step.Needs {
			if j := s.byName[need.Step]; needs[j] > 0 {
				at = j
				break
			}
		}
	}
	first := slices.Index(path, slices.Min(path))
	path = append(path[first:], path[:first]...)
	return fmt.Errorf("steps need each other in a cycle: %s -> %s", strings.Join(path, " -> "), path[0])
}

// readTypes reads every type of the program once.
func (s *State) readTypes() error {
	read := func(where, name, text string) error {
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
	var errs []error
	for i := range s.nodes {
		for _, in := range s.nodes[i].step.Inputs {
			errs = append(errs, read("input", in.Name, in.Type))
		}
		for _, out := range s.nodes[i].step.Outputs {
			errs = append(errs, read("output", out.Name, out.Type))
		}
	}
	for _, p := range s.program.Params {
		errs = append(errs, read("param", p.Name, p.Type))
	}
	for _, r := range s.program.Outputs {
		errs = append(errs, read("output", r.Name, r.Type))
	}
	return errors.Join(errs...)
}

// readParams decodes the values that the run was started with.
func (s *State) readParams() error {
	for _, p := range s.program.Params {
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
		s.params[p.Name] = v
	}
	return nil
}
