package lint

var unreachableTimeout = &Rule{
	Code: "unreachable-timeout", Level: Warning,
	Summary: "A step's timeout is not shorter than its pipeline's, so it is never reached.",
	Doc:     "The run's timeout ends the step first. Set a shorter timeout for the step, or a longer one for the pipeline.",
	Check: func(p *Pass) {
		for pl, s := range p.Steps {
			whole, own, b := pl.Timeout, s.Timeout, s.Block
			if a := s.Approval; a != nil {
				own, b = a.Timeout, s.Block.One("approval")
			}
			if whole == 0 || own < whole || own == 0 {
				continue
			}
			p.Report(p.New(b.Attr("timeout").Range(), "this timeout is never reached: a run of the pipeline may take %s in total", span(whole.D())).
				WithRelated(pl.Block.Attr("timeout").Range(), "the pipeline's timeout is here"))
		}
	},
}
