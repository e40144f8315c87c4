package convert

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
)

// templates writes templates from their trees: without quotes for YAML, or with the quotes of HCL. Expressions in them are
// not changed.
type templates struct {
	src    []byte // the source that ranges in the trees refer to
	quoted bool   // for between quotes
}

// source returns an expression as it was written, or in its canonical form if its range doesn't cover all of it.
func source(e hclsyntax.Expression, src []byte) string {
	want, err := expr.PrintFrom(e, expr.Source(src))
	r := e.Range()
	if r.Start.Byte >= 0 && r.End.Byte <= len(src) && r.Start.Byte < r.End.Byte {
		text := src[r.Start.Byte:r.End.Byte]
		if r := expr.GateExpression(text); r == nil {
			back, hclDiags := hclsyntax.ParseExpression(text, "", hcl.InitialPos)
			if !hclDiags.HasErrors() {
				if got, backErr := expr.PrintFrom(back, expr.Source(text)); backErr == nil && (got == want || err != nil) {
					return string(text)
				}
			}
		}
	}
	return want
}

// text writes a template.
func (t templates) text(parts []hclsyntax.Expression) string {
	var b strings.Builder
	alone := true // everything is one interpolation, between texts that are empty
	count := 0
	for _, p := range parts {
		if s, ok := literalText(p); ok {
			alone = alone && s == ""
		} else {
			count++
		}
	}
	alone = alone && count == 1 && len(parts) > 1
	pending := ""
	flush := func(next bool) (mark string) {
		s := t.escape(pending)
		pending = ""
		last := ""
		if s != "" {
			last = s[len(s)-1:]
		}
		if next && (last == "$" || last == "%") {
			// What follows would be read as an escape. A ~ removes the space again.
			b.WriteString(s + " ")
			return "~"
		}
		b.WriteString(s)
		if next && alone {
			b.WriteString(" ")
			return "~"
		}
		return ""
	}
	for _, p := range parts {
		if s, ok := literalText(p); ok {
			pending += s
			continue
		}
		mark := flush(true)
		t.part(&b, p, mark)
	}
	flush(false)
	return b.String()
}

func literalText(e hclsyntax.Expression) (string, bool) {
	l, ok := e.(*hclsyntax.LiteralValueExpr)
	if !ok || l.Val.IsNull() || l.Val.Type() != cty.String {
		return "", false
	}
	return l.Val.AsString(), true
}

func (t templates) part(b *strings.Builder, e hclsyntax.Expression, mark string) {
	switch e := e.(type) {
	case *hclsyntax.ConditionalExpr:
		if at := e.SrcRange.Start.Byte; at+1 < len(t.src) && string(t.src[at:at+2]) == "%{" {
			yes, isYes := e.TrueResult.(*hclsyntax.TemplateExpr)
			no, isNo := e.FalseResult.(*hclsyntax.TemplateExpr)
			if isYes && isNo {
				b.WriteString("%{" + mark + " if " + source(e.Condition, t.src) + " }" + t.text(yes.Parts) + "%{ else }" + t.text(no.Parts) + "%{ endif }")
				return
			}
		}
	case *hclsyntax.TemplateJoinExpr:
		f, isFor := e.Tuple.(*hclsyntax.ForExpr)
		if !isFor {
			break
		}
		if body, ok := f.ValExpr.(*hclsyntax.TemplateExpr); ok {
			names := f.ValVar
			if f.KeyVar != "" {
				names = f.KeyVar + ", " + names
			}
			b.WriteString("%{" + mark + " for " + names + " in " + source(f.CollExpr, t.src) + " }" + t.text(body.Parts) + "%{ endfor }")
			return
		}
	}
	b.WriteString("${" + mark + source(e, t.src) + "}")
}

// escape writes text so that nothing in it starts an expression.
func (t templates) escape(s string) string {
	if t.quoted {
		return quotedText(s)
	}
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

// quotedText writes text for use between quotes of HCL.
func quotedText(s string) string {
	p, err := expr.Print(&hclsyntax.LiteralValueExpr{Val: cty.StringVal(s)})
	if err != nil {
		return ""
	}
	return p[1 : len(p)-1]
}
