package lint

import "strings"

var noResources = &Rule{
	Code: "no-resources", Level: Warning,
	Summary: "A step that a cluster would run doesn't say how much cpu or memory it needs.",
	Doc: "Without requests the cluster puts the pod on any node, however full, and ends it first where memory runs short; without a limit of memory " +
		"it takes what others need. The `memory` of `resources` is both the request and the limit, unless `memory_limit` says more.\n\n" +
		"The rule is asked where a stack of the project is on Kubernetes.",
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
				p.Tell(p.New(s.Block.DefRange, "%s %q doesn't say what it needs", s.Block.Def.Name, s.Name()).
					WithSuggestion("write a block resources with cpu and memory"))
			case len(missing) > 0:
				p.Tell(p.New(b.DefRange, "the resources of %s %q have no %s", s.Block.Def.Name, s.Name(), strings.Join(missing, " and no ")))
			}
		}
	},
}
