package check

import (
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// cycles tells steps that wait for each other: of each knot of them its shortest ring through the step that stands first
// in the source, printed from that step, so that the message is always the same.
func (c *checker) cycles(p *Pipeline) {
	for _, knot := range knots(p) {
		first := knot[0]
		inside := map[*Step]bool{}
		for _, s := range knot {
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
		d := diag.New("cycle", ring[0].needOf(ring[1%len(ring)]).At, "steps wait for each other in a ring: %s", strings.Join(append(names, names[0]), " → "))
		if len(ring) == 1 {
			d.Summary = "step " + names[0] + " waits for itself"
		}
		for i, s := range ring[1:] {
			next := ring[(i+2)%len(ring)]
			d = d.WithRelated(s.needOf(next).At, "%s waits for %s", s.Name(), next.Name())
		}
		c.diags.Add(d)
	}
}

// needOf is how s needs another step, or nil.
func (s *Step) needOf(other *Step) *Need {
	for _, key := range evaluate.Names(s.Needs) {
		if s.Needs[key].Step == other.Name() {
			return s.Needs[key]
		}
	}
	return nil
}

// shortestRing is the shortest way from a step back to itself, by breadth first and then by name.
func shortestRing(p *Pipeline, first *Step, inside map[*Step]bool) []*Step {
	from := map[*Step]*Step{}
	queue := []*Step{first}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, name := range evaluate.Names(s.Needs) {
			next := p.byName[s.Needs[name].Step]
			if next == first {
				var ring []*Step
				for at := s; at != nil; at = from[at] {
					ring = append([]*Step{at}, ring...)
				}
				return ring
			}
			if _, seen := from[next]; !seen && inside[next] {
				from[next] = s
				queue = append(queue, next)
			}
		}
	}
	return []*Step{first}
}

// knots are the sets of steps that wait for each other: Tarjan's strongly connected components, without recursion,
// since a chain of steps may be long.
func knots(p *Pipeline) [][]*Step {
	type frame struct {
		step  *Step
		needs []string
	}
	index, low, onStack := map[*Step]int{}, map[*Step]int{}, map[*Step]bool{}
	var stack []*Step
	var out [][]*Step
	for _, root := range p.Steps {
		if index[root] > 0 {
			continue
		}
		frames := []frame{}
		enter := func(s *Step) {
			index[s] = len(index) + 1
			low[s] = index[s]
			stack, onStack[s] = append(stack, s), true
			frames = append(frames, frame{s, evaluate.Names(s.Needs)})
		}
		enter(root)
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			if len(f.needs) > 0 {
				next := p.byName[f.step.Needs[f.needs[0]].Step]
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
			var knot []*Step
			for {
				top := stack[len(stack)-1]
				stack, onStack[top] = stack[:len(stack)-1], false
				knot = append(knot, top)
				if top == s {
					break
				}
			}
			if len(knot) > 1 || s.needOf(s) != nil {
				out = append(out, knot)
			}
		}
	}
	return out
}
