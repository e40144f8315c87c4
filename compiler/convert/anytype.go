package convert

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// If text is expected, "${x}" converts an x of type any to text, and x itself does not: it must be text when it is read. In
// YAML the first is ${x} and the second ${(x)}. For other types both are the same, and the parentheses can be left out.

// declaredTypes returns the references whose declaration in the same file rules out type any.
func declaredTypes(body *hclsyntax.Body, src []byte) map[string]bool {
	out := map[string]bool{}
	for _, b := range body.Blocks {
		switch {
		case b.Type == "variable" && len(b.Labels) == 1:
			out["var."+b.Labels[0]] = definite(b.Body, src)
		case b.Type == "pipeline":
			for _, p := range b.Body.Blocks {
				if p.Type == "param" && len(p.Labels) == 1 {
					name := "param." + p.Labels[0]
					known, there := out[name] // of all pipelines
					out[name] = definite(p.Body, src) && (known || !there)
				}
			}
		}
	}
	return out
}

func definite(body *hclsyntax.Body, src []byte) bool {
	if a, ok := body.Attributes["type"]; ok {
		t, err := types.ParseString(source(a.Expr, src))
		return err == nil && t.IsPrimitiveType()
	}
	if a, ok := body.Attributes["default"]; ok {
		switch e := a.Expr.(type) {
		case *hclsyntax.LiteralValueExpr:
			return !e.Val.IsNull()
		case *hclsyntax.TemplateExpr:
			return true
		}
	}
	return false
}

// mayBeAny reports whether an expression can have type any, as far as this file shows.
func (w *yamlWriter) mayBeAny(e hclsyntax.Expression) bool {
	switch e := expr.Bare(e).(type) {
	case *hclsyntax.LiteralValueExpr, *hclsyntax.TemplateExpr, *hclsyntax.TemplateJoinExpr, *hclsyntax.BinaryOpExpr, *hclsyntax.UnaryOpExpr:
		return false
	case *hclsyntax.FunctionCallExpr:
		f, ok := expr.Functions()[e.Name]
		if !ok || e.ExpandFinal {
			return e.Name != "file" && e.Name != "templatefile" && e.Name != "filesha256"
		}
		args := make([]cty.Type, len(e.Args))
		for i := range args {
			args[i] = cty.DynamicPseudoType
		}
		t, err := f.ReturnType(args)
		return err != nil || !t.IsPrimitiveType()
	case *hclsyntax.ConditionalExpr:
		return w.mayBeAny(e.TrueResult) || w.mayBeAny(e.FalseResult)
	case *hclsyntax.ScopeTraversalExpr:
		return w.referenceMayBeAny(e.Traversal)
	}
	return true
}

func (w *yamlWriter) referenceMayBeAny(t hcl.Traversal) bool {
	var names []string
	for _, step := range t[1:] {
		a, ok := step.(hcl.TraverseAttr)
		if !ok {
			return true
		}
		names = append(names, a.Name)
	}
	root := t.RootName()
	switch {
	case root == "run":
		return len(names) != 1
	case root == "input" || root == "output":
		return len(names) != 2 || names[1] != "path"
	case root == "step":
		return len(names) != 2 || names[1] != "status"
	case len(names) != 1:
		return true
	}
	return !w.types[root+"."+strings.Join(names, ".")]
}
