package evaluate

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// Mismatch reports that the value of e has the wrong type for its position. err is the reason. The diagnostic points at the
// innermost part of e that causes it. sources have the text of e.
func Mismatch(e hcl.Expression, from, want cty.Type, err error, sources expr.Sources) diag.Diagnostic {
	switch err := err.(type) {
	case *types.NullError:
		at, found := inner(e, err.Path)
		d := diag.New("null-value", at.Range(), "expected %s, found null", types.Phrase(err.Type))
		if !found {
			d = diag.New("null-value", at.Range(), "expected %s, found null at %s", types.Phrase(want), err.Path)
		}
		return d
	case *types.Mismatch:
		at, found := inner(e, err.Path)
		d := diag.New("type-mismatch", at.Range(), "expected %s, found %s", types.Phrase(err.To), types.Phrase(err.From))
		if !found {
			d.Summary = "expected " + types.Phrase(want) + ", found " + types.Phrase(from)
			d = d.WithDetail("At %s: %s.", err.Path, (&types.Mismatch{From: err.From, To: err.To, Why: err.Why}).Error())
		} else if err.Why != "" {
			d = d.WithDetail("%s.", upperFirst(err.Why))
		}
		if err.Hint != "" {
			d = d.WithSuggestion("%s", err.Hint)
		}
		if err.To == cty.Bool && err.From == cty.String {
			if text := condition(at, sources); text != "" {
				return expressionFix(d, at.Range(), text)
			}
		}
		if x, ok := at.(*hclsyntax.ScopeTraversalExpr); ok && err.To == cty.String && (err.From == cty.Number || err.From == cty.Bool) {
			return d.WithSuggestion("write tostring(%s)", Text(x.Traversal))
		}
		return literalFix(d, at, err.To, sources)
	}
	return diag.New("type-mismatch", e.Range(), "expected %s, found %s", types.Phrase(want), types.Phrase(from)).
		WithDetail("%s.", upperFirst(err.Error()))
}

// expressionFix suggests to write an expression instead of a string.
func expressionFix(d diag.Diagnostic, at hcl.Range, text string) diag.Diagnostic {
	if ext := filepath.Ext(at.Filename); ext == ".yaml" || ext == ".yml" {
		return d.WithSuggestion("write ${%s}", text).WithFix(at, "'${"+text+"}'")
	}
	return d.WithSuggestion("write %s", text).WithFix(at, text)
}

// literalFix suggests what to write for a literal of the wrong type: 30 for "30", and the reverse.
func literalFix(d diag.Diagnostic, e hcl.Expression, want cty.Type, sources expr.Sources) diag.Diagnostic {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		return d
	}
	v, plain := literal(node)
	if !plain || v.IsNull() {
		return d
	}
	text := ""
	switch {
	case want == cty.String && v.Type() != cty.String:
		s, ok := types.InTemplate(written(v, node, sources, nil, nil))
		if !ok {
			return d
		}
		text = strconv.Quote(s)
	case v.Type() != cty.String:
		return d
	case want == cty.Number:
		if _, err := convert.Convert(v, cty.Number); err != nil {
			return d
		}
		text = strings.TrimSpace(v.AsString())
	case want == cty.Bool:
		switch strings.ToLower(v.AsString()) {
		case "true", "yes", "on":
			text = "true"
		case "false", "no", "off":
			text = "false"
		default:
			d.Suggestion = "write true or false, without quotes"
			return d
		}
	default:
		return d
	}
	return d.WithSuggestion("write %s", text).WithFix(e.Range(), text)
}
