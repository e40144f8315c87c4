package lint

var unexplainedIgnore = &Rule{
	Code: "unexplained-ignore", Level: Warning,
	Summary: "A comment ignores a rule and gives no reason.",
	Doc:     "The next reader can't know whether it is still right. Write the reason after the codes: `# pipec:ignore no-timeout it waits for an operator`.",
	Check: func(p *Pass) {
		for _, g := range p.comments().all {
			if g.code != "" && g == g.siblings[0] && g.reason == "" {
				p.Report(p.New(g.comment.Range, "this comment has no reason for ignoring %s", g.code).WithSuggestion("write the reason after the code"))
			}
		}
	},
}
