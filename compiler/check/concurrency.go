package check

import (
	"slices"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// concurrency checks the group that a step is in.
func (c *checker) concurrency(s *Step) {
	b := s.Block.One("concurrency")
	if b == nil {
		return
	}
	out := program.Concurrency{Limit: 1}
	name, named := c.world.String(b, "group")
	if named && (name == "" || len(validation.IsValidLabelValue(name)) > 0) {
		named = false
		c.diags.Add(diag.New("invalid-name", b.Attr("group").Range(), "%q can't be the name of a group", name).
			WithDetail("It has letters, digits, `-`, `_` and `.`, at most %d of them, and begins and ends with a letter or a digit.", validation.LabelValueMaxLength))
	}
	limit, known := c.world.Int(b, "limit", 1)
	switch {
	case known && limit > program.MaxGroup:
		known = false
		c.diags.Add(diag.New("invalid-value", b.Attr("limit").Range(), "`limit` is at most %d, and this is %d", program.MaxGroup, limit))
	case known:
		out.Limit = limit
	case b.Attr("limit") == nil:
		known = true
	}
	if what, ok := c.world.String(b, "on_busy"); ok {
		out.Skip = what == "skip"
	}
	if !named {
		return
	}
	out.Group = name
	s.Program.Concurrency = &out
	s.limited = known
}

// groups checks what groups are for the project as a whole: they are those of all pipelines.
func (c *checker) groups() {
	var steps []*Step // in a group, in the order of the source
	collect := func(pipelines map[*decode.Block]*Pipeline) {
		for _, p := range pipelines {
			for _, s := range p.Steps {
				if s.Program.Concurrency != nil {
					steps = append(steps, s)
				}
			}
		}
	}
	collect(c.pipelines)
	for _, lib := range c.libraries {
		collect(lib.pipelines)
	}
	if len(steps) == 0 {
		return
	}
	sort.Slice(steps, func(i, j int) bool {
		a, b := steps[i], steps[j]
		if a.Block == b.Block { // of a library that is there with other variables too
			x, y := a.Program.Concurrency, b.Program.Concurrency
			return x.Group < y.Group || x.Group == y.Group && x.Limit < y.Limit
		}
		return diag.Before(a.Block.LabelRange, b.Block.LabelRange)
	})
	c.groupLimits(steps)
	c.nestedGroups(steps)
}

// groupLimits tells steps that say different limits for one group.
func (c *checker) groupLimits(steps []*Step) {
	first := map[string]*Step{}
	for _, s := range steps {
		group := s.Program.Concurrency
		if !s.limited {
			continue
		}
		f := first[group.Group]
		if f == nil {
			first[group.Group] = s
			continue
		}
		if limit := f.Program.Concurrency.Limit; limit != group.Limit {
			c.diags.Add(diag.New("invalid-value", s.limitRange(), "the group %q has the limit %d here and %d elsewhere", group.Group, group.Limit, limit).
				WithDetail("A group has one limit in all pipelines of a project: a `local` can hold it.").
				WithRelated(f.limitRange(), "the limit %d is here", limit))
		}
	}
}

// limitRange is where the limit of a step's group is written, or would be.
func (s *Step) limitRange() hcl.Range {
	b := s.Block.One("concurrency")
	if e := b.Attr("limit"); e != nil {
		return e.Range()
	}
	return b.DefRange
}

func (s *Step) groupRange() hcl.Range { return s.Block.One("concurrency").Attr("group").Range() }

// nested is a step that waits for a place in a group while the call that it is part of holds one in another.
type nested struct{ call, inner *Step }

// nestedGroups tells calls that hold a place which a step in them, or one of theirs in the end, waits for.
func (c *checker) nestedGroups(steps []*Step) {
	inside := map[*Pipeline]map[string]*Step{}
	edges := map[string]map[string]nested{}
	for _, s := range steps {
		if s.Callee == nil {
			continue
		}
		group := s.Program.Concurrency.Group
		within := groupsIn(s.Callee, inside)
		for _, name := range evaluate.Names(within) {
			inner := within[name]
			if name == group {
				c.diags.Add(diag.New("cycle", s.groupRange(), "this call holds a place in the group %q, which step %q of it waits for", group, inner.Name()).
					WithRelated(inner.groupRange(), "the step is in the group here").
					WithSuggestion("leave one of them out of the group"))
				continue
			}
			if inner.Program.Concurrency.Skip {
				continue // it never waits
			}
			if edges[group] == nil {
				edges[group] = map[string]nested{}
			}
			if _, there := edges[group][name]; !there {
				edges[group][name] = nested{s, inner}
			}
		}
	}
	told := map[string]bool{}
	for _, name := range evaluate.Names(edges) {
		ring := groupRing(edges, name)
		if slices.ContainsFunc(ring, func(n string) bool { return told[n] }) || len(ring) == 0 {
			continue
		}
		for _, n := range ring {
			told[n] = true
		}
		c.groupCycle(edges, ring)
	}
}

// groupsIn are the groups that steps of a pipeline are in, or of what it calls: of each the first that waits, else the
// first.
func groupsIn(p *Pipeline, known map[*Pipeline]map[string]*Step) map[string]*Step {
	if out, ok := known[p]; ok {
		return out
	}
	out := map[string]*Step{}
	known[p] = out // calls in a ring are told elsewhere
	add := func(name string, s *Step) {
		if first := out[name]; first == nil || first.Program.Concurrency.Skip && !s.Program.Concurrency.Skip {
			out[name] = s
		}
	}
	for _, s := range p.Steps {
		if group := s.Program.Concurrency; group != nil {
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

// groupRing is the shortest way from a group back to itself; nil: there is none.
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

func (c *checker) groupCycle(edges map[string]map[string]nested, ring []string) {
	edge := edges[ring[0]][ring[1]]
	d := diag.New("cycle", edge.call.groupRange(), "calls can wait for each other for ever: one holds a place in the group %q and waits for one in %q", ring[0], ring[1]).
		WithRelated(edge.inner.groupRange(), "step %q of the call waits for %q here", edge.inner.Name(), ring[1])
	for i := 1; i < len(ring); i++ {
		next := ring[(i+1)%len(ring)]
		edge := edges[ring[i]][next]
		d = d.WithRelated(edge.call.groupRange(), "this call holds %q", ring[i]).
			WithRelated(edge.inner.groupRange(), "and step %q of it waits for %q", edge.inner.Name(), next)
	}
	c.diags.Add(d.WithSuggestion("take the groups in one order everywhere"))
}
