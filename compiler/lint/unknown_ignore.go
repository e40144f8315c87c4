package lint

import (
	"slices"

	"pipec.dev/pipec/compiler/diag"
)

var unknownIgnore = &Rule{
	Code: "unknown-ignore", Level: Warning,
	Summary: "A comment ignores a code that doesn't belong to a rule.",
	Doc: "The comment has no effect: its code is misspelled, missing, or the code of an error. Errors of the compiler can't be ignored, " +
		"because a project with an error can't be compiled.\n\nA comment that ignores findings is written as " +
		"`# pipec:ignore CODE reason`, with commas between several codes.",
	Check: func(p *Pass) {
		for _, g := range p.comments().all {
			if slices.Contains(p.codes, g.code) {
				continue
			}
			d := p.New(g.comment.Range, "there is no rule %q", g.code)
			if g.code == "" {
				p.Report(p.New(g.comment.Range, "this comment has no code to ignore").WithSuggestion("write # %s CODE reason", mark))
				continue
			}
			if c, of := diag.Lookup(g.code); of && c.Severity == diag.Error {
				d = p.New(g.comment.Range, "%q is an error of the compiler, which can't be ignored", g.code)
			}
			p.Report(d.DidYouMean(g.code, p.codes))
		}
	},
}
