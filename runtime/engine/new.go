package engine

import (
	"errors"
	"fmt"

	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// New returns the state of a run that has not started. limit bounds the parallel attempts, in addition to the program's own
// limit; 0 sets no bound. It returns an error if the program cannot be run: the compiler accepts no such program.
func New(p *program.Program, run *record.Run, limit int) (_ *State, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("engine: " + panics.Message(panics.At(), "it"))
		}
	}()
	if p == nil || run == nil {
		return nil, errors.New("engine: a program and a run are required")
	}
	s := newState(p, run)
	s.sched.newLimit(bound(limit, p.MaxParallel))
	check := checker{program: p, types: s.eval.types}
	for _, build := range []func() error{check.check, s.addRoot, s.choose, s.eval.readParams, s.eval.readEarlier} {
		if err := build(); err != nil {
			return nil, fmt.Errorf("engine: %w", err)
		}
	}
	return s, nil
}

// newState joins the rooms of a run.
func newState(p *program.Program, run *record.Run) *State {
	g := &graph{byAddr: map[string]int{}, selected: record.Select(run.Only)}
	out := &outbox{run: run.Name}
	sched := &scheduler{graph: g}
	eval := &evaluator{graph: g, program: p, run: run, types: typeTable{}}
	r := rooms{
		graph: g, sched: sched, eval: eval, out: out,
		groups:  &groups{graph: g, sched: sched, out: out},
		retries: &retries{uid: run.UID, graph: g, eval: eval, timers: map[string]int{}},
	}
	life := &lifecycle{rooms: r}
	life.expansion = &expansion{rooms: r, life: life, kept: map[string]record.Event{}, timeouts: map[string]int{}}
	life.approvals = &approvals{rooms: r, life: life, timers: map[string]int{}, answers: map[string]int{}}
	return &State{rooms: r, life: life, expansion: life.expansion, approvals: life.approvals}
}

// bound returns the smaller of two bounds. Zero and less mean no bound.
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

// addRoot creates the nodes of the program itself.
func (s *State) addRoot() error {
	p := s.eval.program
	s.graph.openFrame(frame{call: -1, steps: [2][]program.Step{p.Steps, p.Finally}, outputs: p.Outputs, onFailure: p.OnFailure, timeout: p.Timeout, limits: []int{0}}, "", nil)
	return nil
}

// choose marks the steps that are not part of this run, and those whose results may be kept.
func (s *State) choose() error {
	root := &s.graph.frames[0]
	for _, name := range s.eval.run.Only {
		if _, ok := root.byName[record.Address(name).Root()]; !ok {
			return fmt.Errorf("there is no step %q to run", name)
		}
	}
	s.graph.leaveOut(0)
	for _, name := range s.eval.run.Kept {
		i, ok := root.byName[name]
		if !ok {
			return fmt.Errorf("there is no step %q whose result could be kept", name)
		}
		// a step with nodes of its own keeps their results when they are created
		if n := &s.graph.nodes[i]; n.phase != absent && !n.awaitsKept && (n.kind == process || n.kind == approval) {
			n.awaitsKept = true
			n.blockers++ // StepKept
		}
	}
	s.graph.link(0)
	return nil
}
