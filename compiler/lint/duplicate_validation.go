package lint

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/expr"
)

var duplicateValidation = &Rule{
	Code: "duplicate-validation", Level: Warning,
	Summary: "A validation of a variable says what another says already, or can never fail.",
	Doc: "Of two validations with one condition the second is never the one that fails. And a condition that doesn't refer to a variable is as true for " +
		"every value: something else was meant.",
	Check: func(p *Pass) {
		for _, b := range p.Blocks {
			if b.Def.Name != "variable" {
				continue
			}
			first := map[string]hcl.Range{}
			for _, rule := range b.All("validation") {
				e, ok := rule.Attr("condition").(hclsyntax.Expression)
				if !ok {
					continue
				}
				if !p.Evaluated.Varies(e) {
					p.Tell(p.New(e.Range(), "this doesn't depend on var.%s, and so never fails", b.Label))
				}
				text, err := expr.Print(e)
				if err != nil {
					continue
				}
				if at, twice := first[text]; twice {
					p.Tell(p.New(e.Range(), "another validation of var.%s has this condition", b.Label).WithRelated(at, "it is here"))
				} else {
					first[text] = e.Range()
				}
			}
		}
	},
}
