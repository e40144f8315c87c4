package lint

import "strings"

var noResources = &Rule{
	Code: "no-resources", Level: Warning,
	Summary: "A step that a cluster would run doesn't declare how much cpu or memory it needs.",
	Doc: "Without requests the cluster may schedule the pod on a full node, and evicts it first if memory runs short. Without a memory limit " +
		"the pod can take memory that others need. The `memory` of `resources` is both the request and the limit, unless `memory_limit` is set.\n\n" +
		"The rule applies if a stack of the project is on Kubernetes.",
	Check: func(p *Pass) {
		if !p.Clustered() {
			return
		}
		for _, s := range p.Steps {
			if !runs(s) {
				continue
			}
			var missing []string
			b := s.Block.One("resources")
			for _, name := range []string{"cpu", "memory"} {
				if b == nil || b.Attr(name) == nil {
					missing = append(missing, "`"+name+"`")
				}
			}
			switch {
			case b == nil:
				p.Report(p.New(s.Block.DefRange, "%s %q doesn't declare its resources", s.Block.Def.Name, s.Name()).
					WithSuggestion("write a `resources` block with cpu and memory"))
			case len(missing) > 0:
				p.Report(p.New(b.DefRange, "the resources of %s %q have no %s", s.Block.Def.Name, s.Name(), strings.Join(missing, " and no ")))
			}
		}
	},
}
