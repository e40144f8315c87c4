package lint

var unexplainedIgnore = &Rule{
	Code: "unexplained-ignore", Level: Warning,
	Summary: "A comment ignores a rule and gives no reason.",
	Doc:     "The next reader can't tell whether it is still right. Behind the codes, say why: `# pipec:ignore no-timeout it waits for an operator`.",
	Check: func(p *Pass) {
		for _, g := range p.comments().all {
			if g.code != "" && g == g.siblings[0] && g.reason == "" {
				p.Tell(p.New(g.comment.Range, "this comment doesn't say why %s is ignored", g.code).WithSuggestion("write the reason behind the code"))
			}
		}
	},
}
