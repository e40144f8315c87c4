package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/types"
)

// PanicError reports that evaluating an expression panicked, which is an error of pipec. The expression alone fails.
type PanicError struct {
	Text string // the expression
	At   string // the function that panicked
}

func (e *PanicError) Error() string {
	return e.Text + ": this expression can't be evaluated: " + panics.Message(e.At, "the expression")
}

// caught turns a panic of an evaluation into an error. The value of the panic may contain values of the user, so only the
// function that panicked is reported. It must be deferred directly.
func (e *Expr) caught(v *cty.Value, err *error) {
	if recover() != nil {
		*v, *err = cty.NilVal, &PanicError{Text: e.Text, At: panics.At()}
	}
}

// known checks the value of an expression: all of it must be known and finite. go-cty returns an unknown value for some
// operations on null, and callers couldn't read it.
func (e *Expr) known(v cty.Value, node hclsyntax.Expression, ctx *hcl.EvalContext) error {
	switch {
	case !v.IsWhollyKnown():
		return fmt.Errorf("%s: the result is not known%s", e.Text, are("because", nulls(node, ctx)))
	case !types.Finite(v):
		return fmt.Errorf("%s: the value is infinite, as after a division by zero, or takes too many digits", e.Text)
	}
	return nil
}

// failed returns the error of an expression that has no value. If null is the reason, it names what is null.
func (e *Expr) failed(d *hcl.Diagnostic, node hclsyntax.Expression, ctx *hcl.EvalContext) error {
	return fmt.Errorf("%s: %s", e.Text, Reason(sentence(d), node, ctx))
}

// Reason returns HCL's reason why an expression has no value, without the words that say nothing. If null is the reason, it names what
// is null.
func Reason(text string, node hclsyntax.Expression, ctx *hcl.EvalContext) string {
	text = strings.TrimPrefix(text, "Error during operation: ")
	if ctx != nil && strings.Contains(text, " null") && !strings.Contains(text, everyNull) {
		text = strings.TrimSuffix(text, ".") + are("but", nulls(node, ctx))
	}
	return text
}

// are returns the clause that names what is null; "" if that is not known.
func are(conjunction string, null []string) string {
	if len(null) == 0 {
		return ""
	}
	verb := "is"
	if len(null) > 1 {
		verb = "are"
	}
	return fmt.Sprintf(", %s %s %s null", conjunction, strings.Join(null, ", "), verb)
}

// maxNulls is how many nulls a message names.
const maxNulls = 3

// nulls names what a node reads that is null. If no reference is null as a whole, it names nulls inside the values.
func nulls(node hclsyntax.Expression, ctx *hcl.EvalContext) []string {
	var whole, inside []string
	for _, t := range node.Variables() {
		v, diags := t.TraverseAbs(ctx)
		if diags.HasErrors() {
			continue
		}
		name := traversalText(t)
		v, _ = v.UnmarkDeep()
		_ = cty.Walk(v, func(path cty.Path, v cty.Value) (bool, error) {
			switch {
			case !v.IsNull() || len(inside) >= maxNulls:
			case len(path) == 0:
				whole = append(whole, name)
			default:
				inside = append(inside, name+pathText(path))
			}
			return len(inside) < maxNulls, nil
		})
	}
	if len(whole) > 0 {
		inside = whole
	}
	slices.Sort(inside)
	inside = slices.Compact(inside)
	return inside[:min(len(inside), maxNulls)]
}

func traversalText(t hcl.Traversal) string {
	p := printer{}
	p.traversal(t)
	return strings.Replace(p.b.String(), collected+".", "step.", 1)
}

func pathText(path cty.Path) string {
	p := printer{}
	for _, step := range path {
		switch step := step.(type) {
		case cty.GetAttrStep:
			p.write("." + step.Name)
		case cty.IndexStep:
			p.write("[")
			if step.Key.Type().IsPrimitiveType() && step.Key.IsKnown() {
				p.literal(step.Key)
			} else {
				p.write("…") // an element of a set is its own key
			}
			p.write("]")
		}
	}
	return p.b.String()
}
