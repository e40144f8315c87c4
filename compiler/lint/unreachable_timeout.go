package lint

var unreachableTimeout = &Rule{
	Code: "unreachable-timeout", Level: Warning,
	Summary: "A step's timeout is not shorter than its pipeline's, and so is never reached.",
	Doc:     "The run is ended first. Either the step may take less, or the pipeline more.",
	Check: func(p *Pass) {
		for pl, s := range p.Steps {
			whole, own, b := pl.Timeout, s.Timeout, s.Block
			if a := s.Approval; a != nil {
				own, b = a.Timeout, s.Block.One("approval")
			}
			if whole == 0 || own < whole || own == 0 {
				continue
			}
			p.Tell(p.New(b.Attr("timeout").Range(), "this is never reached: a run of the pipeline may take %s in all", span(whole.D())).
				WithRelated(pl.Block.Attr("timeout").Range(), "the pipeline's timeout is here"))
		}
	},
}
