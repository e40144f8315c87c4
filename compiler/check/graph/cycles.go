package graph

import (
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// cycles reports steps that wait for each other. For each strongly connected component it reports the shortest ring through
// the step that is first in the source, starting with that step, so that the message does not depend on any other order.
func cycles(p *model.Pipeline, diags *diag.List) {
	for _, component := range components(p) {
		first := component[0]
		inside := map[*model.Step]bool{}
		for _, s := range component {
			inside[s] = true
			if diag.Before(s.Block.LabelRange, first.Block.LabelRange) {
				first = s
			}
		}
		ring := shortestRing(p, first, inside)
		names := make([]string, 0, len(ring)+1)
		for _, s := range ring {
			names = append(names, s.Name())
		}
		d := diag.New("cycle", needOf(ring[0], ring[1%len(ring)]).At, "steps wait for each other in a cycle: %s", strings.Join(append(names, names[0]), " → "))
		if len(ring) == 1 {
			d.Summary = "step " + names[0] + " waits for itself"
		}
		for i, s := range ring[1:] {
			next := ring[(i+2)%len(ring)]
			d = d.WithRelated(needOf(s, next).At, "%s waits for %s", s.Name(), next.Name())
		}
		diags.Add(d)
	}
}

// needOf returns a need of s for another step, or nil.
func needOf(s, other *model.Step) *model.Need {
	for _, key := range evaluate.Names(s.Needs) {
		if s.Needs[key].Step == other.Name() {
			return s.Needs[key]
		}
	}
	return nil
}

// shortestRing returns the shortest path from a step back to itself. Of several, it is the first one by name.
func shortestRing(p *model.Pipeline, first *model.Step, inside map[*model.Step]bool) []*model.Step {
	from := map[*model.Step]*model.Step{}
	queue := []*model.Step{first}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, name := range evaluate.Names(s.Needs) {
			next := p.Step(s.Needs[name].Step)
			if next == first {
				var ring []*model.Step
				for at := s; at != nil; at = from[at] {
					ring = append([]*model.Step{at}, ring...)
				}
				return ring
			}
			if _, seen := from[next]; !seen && inside[next] {
				from[next] = s
				queue = append(queue, next)
			}
		}
	}
	return []*model.Step{first}
}

// components returns the sets of steps that wait for each other: the strongly connected components, by Tarjan's algorithm.
// It does not recurse, because a chain of steps can be long.
func components(p *model.Pipeline) [][]*model.Step {
	type frame struct {
		step  *model.Step
		needs []string
	}
	index, low, onStack := map[*model.Step]int{}, map[*model.Step]int{}, map[*model.Step]bool{}
	var stack []*model.Step
	var out [][]*model.Step
	for _, root := range p.Steps {
		if index[root] > 0 {
			continue
		}
		frames := []frame{}
		enter := func(s *model.Step) {
			index[s] = len(index) + 1
			low[s] = index[s]
			stack, onStack[s] = append(stack, s), true
			frames = append(frames, frame{s, evaluate.Names(s.Needs)})
		}
		enter(root)
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			if len(f.needs) > 0 {
				next := p.Step(f.step.Needs[f.needs[0]].Step)
				f.needs = f.needs[1:]
				if index[next] == 0 {
					enter(next)
				} else if onStack[next] {
					low[f.step] = min(low[f.step], index[next])
				}
				continue
			}
			s := f.step
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				parent := frames[len(frames)-1].step
				low[parent] = min(low[parent], low[s])
			}
			if low[s] != index[s] {
				continue
			}
			var component []*model.Step
			for {
				top := stack[len(stack)-1]
				stack, onStack[top] = stack[:len(stack)-1], false
				component = append(component, top)
				if top == s {
					break
				}
			}
			if len(component) > 1 || needOf(s, s) != nil {
				out = append(out, component)
			}
		}
	}
	return out
}
