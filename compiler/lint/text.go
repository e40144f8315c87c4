package lint

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/model"
)

// hole replaces an interpolation in a literal.
const hole = "\x00"

// literals calls yield for each piece of text that is written out in an expression, with its range. A template is one
// piece, with a hole for each interpolation.
func literals(e hcl.Expression, yield func(at hcl.Range, text string)) {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		return
	}
	parts := map[hclsyntax.Expression]bool{}
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.TemplateExpr:
			var b strings.Builder
			for _, part := range n.Parts {
				if s, ok := stringLiteral(part); ok {
					b.WriteString(s)
					parts[part] = true
				} else {
					b.WriteString(hole)
				}
			}
			yield(n.SrcRange, b.String())
		case *hclsyntax.LiteralValueExpr:
			if s, ok := stringLiteral(n); ok && !parts[n] {
				yield(n.SrcRange, s)
			}
		}
		return nil
	})
}

func stringLiteral(e hclsyntax.Expression) (string, bool) {
	l, ok := e.(*hclsyntax.LiteralValueExpr)
	if !ok || l.Val.IsNull() || l.Val.Type() != cty.String {
		return "", false
	}
	return l.Val.AsString(), true
}

// textOf returns the known part of a value's text: all of it for a constant.
func textOf(v *model.Value) string {
	if v == nil {
		return ""
	}
	if v.Const != cty.NilVal {
		if v.Const.IsNull() || v.Const.Type() != cty.String {
			return ""
		}
		return v.Const.AsString()
	}
	var b strings.Builder
	literals(v.Node, func(_ hcl.Range, text string) { b.WriteString(text) })
	return b.String()
}

// span formats a duration for people: 3h, not 3h0m0s.
func span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// argument returns the range of part i of a step's command.
func argument(s *model.Step, i int) hcl.Range {
	return s.CommandFrom[i].Range()
}

// interpreters are programs that take a program as an argument, with the flag before it.
var interpreters = map[string]string{
	"sh": "c", "bash": "c", "dash": "c", "ash": "c", "zsh": "c", "ksh": "c", "python": "c", "python3": "c", "perl": "e", "ruby": "e", "node": "e",
}

// script returns the index of the argument of a command that is a program itself, as in sh -c; -1 if there is none.
func script(s *model.Step) int {
	flag := ""
	for i, v := range s.Command {
		text := textOf(v)
		switch {
		case flag == "": // env sh -c, timeout 10 sh -c
			flag = interpreters[text[strings.LastIndexByte(text, '/')+1:]]
		case strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "--") && strings.HasSuffix(text, flag):
			if i+1 < len(s.Command) {
				return i + 1
			}
		}
	}
	return -1
}
