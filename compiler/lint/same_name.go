package lint

var sameName = &Rule{
	Code: "same-name", Level: Note,
	Summary: "A step is named as its pipeline.",
	Doc: "In the names of pods, in labels and in what people say, nobody can tell which of the two is meant. Name the step for what it does. A pipeline of " +
		"one step is not told.",
	Check: func(p *Pass) {
		for pl, s := range p.Steps {
			if s.Name() == pl.Block.Label && len(pl.Steps) > 1 {
				p.Tell(p.New(s.Block.LabelRange, "the %s is named as its pipeline", s.Block.Def.Name))
			}
		}
	},
}
