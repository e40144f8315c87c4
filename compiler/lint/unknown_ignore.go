package lint

import (
	"slices"

	"pipec.dev/pipec/compiler/diag"
)

var unknownIgnore = &Rule{
	Code: "unknown-ignore", Level: Warning,
	Summary: "A comment ignores a code that is no rule's.",
	Doc: "The comment has no effect: its code is misspelt, or is missing, or is that of an error. Errors of the compiler can't be ignored, " +
		"since nothing can be made of a project that has one.\n\nA comment that ignores is written as " +
		"`# pipec:ignore CODE reason`, several codes with commas between them.",
	Check: func(p *Pass) {
		for _, g := range p.comments().all {
			if slices.Contains(p.codes, g.code) {
				continue
			}
			d := p.New(g.comment.Range, "there is no rule %q", g.code)
			if g.code == "" {
				p.Tell(p.New(g.comment.Range, "this comment doesn't say what it ignores").WithSuggestion("write # %s CODE reason", mark))
				continue
			}
			if c, of := diag.Lookup(g.code); of && c.Severity == diag.Error {
				d = p.New(g.comment.Range, "%q is an error of the compiler, and can't be ignored", g.code)
			}
			p.Tell(d.DidYouMean(g.code, p.codes))
		}
	},
}
