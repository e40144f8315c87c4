package lint

var sameName = &Rule{
	Code: "same-name", Level: Note,
	Summary: "A step has the same name as its pipeline.",
	Doc: "In names of pods, in labels and in conversations it is unclear which of the two is meant. Name the step for what it does. A pipeline with " +
		"one step is not reported.",
	Check: func(p *Pass) {
		for pl, s := range p.Steps {
			if s.Name() == pl.Block.Label && len(pl.Steps) > 1 {
				p.Report(p.New(s.Block.LabelRange, "the %s has the same name as its pipeline", s.Block.Def.Name))
			}
		}
	},
}
