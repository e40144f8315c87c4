package graph

import (
	"pipec.dev/pipec/compiler/model"
)

// waitsFor returns the steps that a step waits for.
func waitsFor(p *model.Pipeline, s *model.Step) []*model.Step {
	out := make([]*model.Step, 0, len(s.Needs))
	for _, n := range s.Needs {
		if from := p.Step(n.Step); from != nil {
			out = append(out, from)
		}
	}
	return out
}

// topological returns the steps so that each follows those that it waits for, and the steps of finally are last. Steps in a
// ring, and steps that wait for one, are missing.
func topological(p *model.Pipeline) []*model.Step {
	waits, next := map[*model.Step]int{}, map[*model.Step][]*model.Step{}
	for _, s := range p.Steps {
		for _, from := range waitsFor(p, s) {
			waits[s]++
			next[from] = append(next[from], s)
		}
	}
	var out, last []*model.Step
	ready := func(s *model.Step) {
		if s.Finally {
			last = append(last, s)
		} else {
			out = append(out, s)
		}
	}
	for _, s := range p.Steps {
		if waits[s] == 0 {
			ready(s)
		}
	}
	release := func(s *model.Step) {
		for _, n := range next[s] {
			if waits[n]--; waits[n] == 0 {
				ready(n)
			}
		}
	}
	for i := 0; i < len(out); i++ {
		release(out[i])
	}
	for i := 0; i < len(last); i++ {
		release(last[i])
	}
	return append(out, last...)
}
