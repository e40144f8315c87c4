package graph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// grouped returns the steps that are in a group, in source order.
func grouped(pipelines []*model.Pipeline) []*model.Step {
	var steps []*model.Step
	for _, p := range pipelines {
		for _, s := range p.Steps {
			if s.Concurrency != nil {
				steps = append(steps, s)
			}
		}
	}
	slices.SortFunc(steps, func(a, b *model.Step) int {
		if a.Block == b.Block { // of a library that is imported twice, with different variables
			x, y := a.Concurrency, b.Concurrency
			return cmp.Or(strings.Compare(x.Group, y.Group), cmp.Compare(x.Limit, y.Limit))
		}
		switch {
		case diag.Before(a.Block.LabelRange, b.Block.LabelRange):
			return -1
		case diag.Before(b.Block.LabelRange, a.Block.LabelRange):
			return 1
		}
		return 0
	})
	return steps
}

// groupLimits reports steps that set different limits for the same group.
func groupLimits(steps []*model.Step, diags *diag.List) {
	first := map[string]*model.Step{}
	for _, s := range steps {
		group := s.Concurrency
		if !group.LimitKnown {
			continue
		}
		f := first[group.Group]
		if f == nil {
			first[group.Group] = s
			continue
		}
		if limit := f.Concurrency.Limit; limit != group.Limit {
			diags.Add(diag.New("invalid-value", limitRange(s), "the group %q has limit %d here and limit %d elsewhere", group.Group, group.Limit, limit).
				WithDetail("A group has the same limit in all pipelines of a project. You can keep the limit in a `local`.").
				WithRelated(limitRange(f), "the limit %d is here", limit))
		}
	}
}

// limitRange returns where a step sets the limit of its group, or the block if it sets none.
func limitRange(s *model.Step) hcl.Range {
	b := s.Block.One("concurrency")
	if e := b.Attr("limit"); e != nil {
		return e.Range()
	}
	return b.DefRange
}

// groupRange returns where a step names its group.
func groupRange(s *model.Step) hcl.Range { return s.Block.One("concurrency").Attr("group").Range() }

// nested is a step that waits for a slot of a group while the call that contains it holds a slot of another group.
type nested struct{ call, inner *model.Step }

// nestedGroups reports calls that can wait for each other, or for themselves: a step inside waits for a slot that the call, or
// another one in a ring of such calls, holds.
func nestedGroups(steps []*model.Step, diags *diag.List) {
	inside := map[*model.Pipeline]map[string]*model.Step{}
	edges := map[string]map[string]nested{}
	for _, s := range steps {
		if s.Callee == nil {
			continue
		}
		group := s.Concurrency.Group
		within := groupsIn(s.Callee, inside)
		for _, name := range evaluate.Names(within) {
			inner := within[name]
			if name == group {
				diags.Add(diag.New("cycle", groupRange(s), "this call holds a slot of the group %q, for which its step %q waits", group, inner.Name()).
					WithRelated(groupRange(inner), "the step is in the group here").
					WithSuggestion("remove one of them from the group"))
				continue
			}
			if inner.Concurrency.Skip {
				continue // the step is skipped instead of waiting
			}
			if edges[group] == nil {
				edges[group] = map[string]nested{}
			}
			if _, there := edges[group][name]; !there {
				edges[group][name] = nested{s, inner}
			}
		}
	}
	reported := map[string]bool{}
	for _, name := range evaluate.Names(edges) {
		ring := groupRing(edges, name)
		if slices.ContainsFunc(ring, func(n string) bool { return reported[n] }) || len(ring) == 0 {
			continue
		}
		for _, n := range ring {
			reported[n] = true
		}
		groupCycle(diags, edges, ring)
	}
}

// groupsIn returns the groups of the steps of a pipeline and of those that it calls. For each group it returns the first step
// that waits for a slot, or else the first step.
func groupsIn(p *model.Pipeline, known map[*model.Pipeline]map[string]*model.Step) map[string]*model.Step {
	if out, ok := known[p]; ok {
		return out
	}
	out := map[string]*model.Step{}
	known[p] = out // ends the recursion
	add := func(name string, s *model.Step) {
		if first := out[name]; first == nil || first.Concurrency.Skip && !s.Concurrency.Skip {
			out[name] = s
		}
	}
	for _, s := range p.Steps {
		if group := s.Concurrency; group != nil {
			add(group.Group, s)
		}
		if s.Callee != nil {
			for _, name := range evaluate.Names(groupsIn(s.Callee, known)) {
				add(name, known[s.Callee][name])
			}
		}
	}
	return out
}

// groupRing returns the shortest path from a group back to itself, or nil.
func groupRing(edges map[string]map[string]nested, first string) []string {
	from := map[string]string{}
	for queue := []string{first}; len(queue) > 0; queue = queue[1:] {
		for _, next := range evaluate.Names(edges[queue[0]]) {
			if next == first {
				ring := []string{}
				for at := queue[0]; at != first; at = from[at] {
					ring = append([]string{at}, ring...)
				}
				return append([]string{first}, ring...)
			}
			if _, seen := from[next]; !seen {
				from[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// groupCycle reports a ring of groups.
func groupCycle(diags *diag.List, edges map[string]map[string]nested, ring []string) {
	edge := edges[ring[0]][ring[1]]
	d := diag.New("cycle", groupRange(edge.call), "calls can wait for each other forever: one holds a slot of the group %q and waits for a slot of %q", ring[0], ring[1]).
		WithRelated(groupRange(edge.inner), "step %q of the call waits for %q here", edge.inner.Name(), ring[1])
	for i := 1; i < len(ring); i++ {
		next := ring[(i+1)%len(ring)]
		edge := edges[ring[i]][next]
		d = d.WithRelated(groupRange(edge.call), "this call holds %q", ring[i]).
			WithRelated(groupRange(edge.inner), "and its step %q waits for %q", edge.inner.Name(), next)
	}
	diags.Add(d.WithSuggestion("nest the groups in the same order everywhere"))
}
