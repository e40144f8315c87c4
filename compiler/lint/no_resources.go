package lint

import (
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
)

var noResources = &Rule{
	Code: "no-resources", Level: Warning,
	Summary: "A step that a cluster would run doesn't declare how much cpu or memory it needs.",
	Doc: "Without requests the cluster may schedule the pod on a full node, and evicts it first if memory runs short. Without a memory limit " +
		"the pod can take memory that others need. The `memory` of `resources` is both the request and the limit, unless `memory_limit` is set.\n\n" +
		"The rule applies if a stack of the project is on Kubernetes. What each of these stacks sets in `default_resources` may be left out.",
	Check: func(p *Pass) {
		if !p.Clustered() {
			return
		}
		required := withoutDefault(p.Project)
		for _, s := range p.Steps {
			if !runs(s) {
				continue
			}
			var missing []string
			b := s.Block.One("resources")
			for _, name := range required {
				if b == nil || b.Attr(name) == nil {
					missing = append(missing, "`"+name+"`")
				}
			}
			switch {
			case len(missing) == 0:
			case b == nil:
				p.Report(p.New(s.Block.DefRange, "%s %q doesn't declare its resources", s.Block.Def.Name, s.Name()).
					WithSuggestion("write a `resources` block with %s", strings.Join(required, " and ")))
			default:
				p.Report(p.New(b.DefRange, "the resources of %s %q have no %s", s.Block.Def.Name, s.Name(), strings.Join(missing, " and no ")))
			}
		}
	},
}

// withoutDefault returns the resources that at least one stack on a cluster doesn't set for steps that don't declare them.
func withoutDefault(p *Project) []string {
	var out []string
	for _, amount := range []struct {
		name string
		set  func(*program.Resources) bool
	}{
		{"cpu", func(r *program.Resources) bool { return r.CPU != "" }},
		{"memory", func(r *program.Resources) bool { return r.Memory != "" }},
	} {
		if slices.ContainsFunc(p.Stacks, func(s *program.Stack) bool {
			r := s.Orchestrator.DefaultResources
			return p.Kinds.Pods(s) && (r == nil || !amount.set(r))
		}) {
			out = append(out, amount.name)
		}
	}
	return out
}
