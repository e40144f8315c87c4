package compiler

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
)

// Variable is a variable that a user of the project can set.
type Variable struct {
	Name string
	Type string // as it is written; "" if it follows from the default
	Doc  string // its description; "" if it has none, or if that is not a literal
	// Uses are the attributes of stacks' orchestrators that are set to the variable, such as "context".
	Uses []string
}

// Variables returns the variables of the project, sorted by name. Errors in other parts of the project don't matter.
func (r *Result) Variables() []Variable {
	if r.project == nil {
		return nil
	}
	var out []Variable
	for _, b := range r.project.Blocks {
		if b.Def.Name == "variable" {
			out = append(out, Variable{Name: b.Label, Type: r.text(b.Attr("type")), Doc: literal(b.Attr("description")), Uses: r.uses(b.Label)})
		}
	}
	slices.SortFunc(out, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// text returns the text of an expression, without the quotes of a string.
func (r *Result) text(e hcl.Expression) string {
	if e == nil {
		return ""
	}
	at := e.Range()
	src := r.Sources[at.Filename]
	if at.End.Byte > len(src) || at.Start.Byte > at.End.Byte {
		return ""
	}
	return strings.Trim(string(src[at.Start.Byte:at.End.Byte]), `"'`)
}

// literal returns the value of an expression that is a string without references.
func literal(e hcl.Expression) string {
	if e == nil {
		return ""
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// uses returns the attributes of orchestrators that refer to a variable, sorted.
func (r *Result) uses(variable string) []string {
	var out []string
	for _, stack := range r.project.Stacks {
		for _, o := range stack.All("orchestrator") {
			for name := range o.Attrs {
				if refers(o, name, variable) && !slices.Contains(out, name) {
					out = append(out, name)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// refers reports whether an attribute of a block refers to a variable.
func refers(b *decode.Block, attribute, variable string) bool {
	return slices.ContainsFunc(b.Attr(attribute).Variables(), func(t hcl.Traversal) bool {
		if len(t) < 2 || t.RootName() != "var" {
			return false
		}
		step, ok := t[1].(hcl.TraverseAttr)
		return ok && step.Name == variable
	})
}
