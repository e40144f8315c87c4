package lint

var unboundedFanOut = &Rule{
	Code: "unbounded-fan-out", Level: Warning, Needs: "for_each",
	Summary: "A step has an instance for each element of a value that is known only at run time, and doesn't limit how many run at once.",
	Doc: "As many pods as there are elements would start together, up to the pipeline's `max_parallel`, which is 200 by default: enough to fill " +
		"a cluster, or to overload a database that all of them read. Write `max_parallel` in the step or in the pipeline. A `concurrency` group is a limit too.",
	Check: func(p *Pass) {
		for pl, s := range p.Steps {
			e := s.Block.Attr("for_each")
			if e == nil || s.Block.Attr("max_parallel") != nil || pl.Block.Attr("max_parallel") != nil {
				continue
			}
			if s.Approval != nil || s.Block.One("concurrency") != nil { // it starts no process, or its group is the limit
				continue
			}
			for _, t := range e.Variables() {
				if root := t.RootName(); root != "var" && root != "local" {
					p.Report(p.New(s.Block.Attrs["for_each"].NameRange, "%s %q may have any number of instances, up to 200 at once", s.Block.Def.Name, s.Name()).
						WithSuggestion("write max_parallel = 10"))
					break
				}
			}
		}
	},
}
