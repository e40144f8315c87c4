package lint

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/expr"
)

var duplicateValidation = &Rule{
	Code: "duplicate-validation", Level: Warning,
	Summary: "A validation of a variable repeats another one, or can never fail.",
	Doc: "Of two validations with the same condition the second never fails. A condition that doesn't refer to a variable has the same result for " +
		"every value, so it is probably a mistake.",
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
				if !p.Evaluated.Values.Varies(e) {
					p.Report(p.New(e.Range(), "this condition doesn't depend on var.%s, so it never fails", b.Label))
				}
				text, err := expr.Print(e)
				if err != nil {
					continue
				}
				if at, twice := first[text]; twice {
					p.Report(p.New(e.Range(), "another validation of var.%s has the same condition", b.Label).WithRelated(at, "the first one is here"))
				} else {
					first[text] = e.Range()
				}
			}
		}
	},
}
