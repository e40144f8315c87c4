package lint

var unboundedFanOut = &Rule{
	Code: "unbounded-fan-out", Level: Warning, Needs: "for_each",
	Summary: "A step makes an instance for each element of what is known only at run time, and says nothing of how many run at once.",
	Doc: "As many pods as there are elements would start together, up to the pipeline's `max_parallel`, which is 200 where it says nothing: enough to fill " +
		"a cluster, or to be too much for the database that all of them read. Write `max_parallel` in the step, or in the pipeline; a `concurrency` group bounds it too.",
	Check: func(p *Pass) {
		for pl, s := range p.Steps {
			e := s.Block.Attr("for_each")
			if e == nil || s.Block.Attr("max_parallel") != nil || pl.Block.Attr("max_parallel") != nil {
				continue
			}
			if s.Approval != nil || s.Block.One("concurrency") != nil { // it starts nothing, or its group is the bound
				continue
			}
			for _, t := range e.Variables() {
				if root := t.RootName(); root != "var" && root != "local" {
					p.Tell(p.New(s.Block.Attrs["for_each"].NameRange, "%s %q may have any number of instances, and as many as 200 at once", s.Block.Def.Name, s.Name()).
						WithSuggestion("write max_parallel = 10"))
					break
				}
			}
		}
	},
}
