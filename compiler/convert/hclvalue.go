package convert

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/yaml"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// expression writes the value of an attribute, and returns up to where the source's comments have been written.
func (w *hclWriter) expression(v *yaml.Value, body *yaml.Body, item *yaml.Item) (text string, written int) {
	// If the body declares the type of its value, no other type is expected. A value without a declared type has its own.
	own := body.Def.Free || item.Attribute != nil && item.Attribute.Short != nil
	if item.Attribute != nil && (item.Name == "default" || item.Name == "value") && v.Want == cty.DynamicPseudoType {
		own = true
		for _, other := range body.Items {
			own = own && other.Name != "type"
		}
	}
	return w.value(v, own)
}

// value writes a value, and returns up to where the source's comments have been written, which may be after the value on
// its last line. own: no type is expected of the value, so that it may also be written without quotes.
func (w *hclWriter) value(v *yaml.Value, own bool) (text string, written int) {
	switch v.Kind {
	case yaml.List:
		return w.list(v, own)
	case yaml.Map:
		return w.object(v, own)
	}
	return w.scalar(v, own), v.Start
}

func (w *hclWriter) scalar(v *yaml.Value, own bool) string {
	switch v.Kind {
	case yaml.Bool:
		return v.Text
	case yaml.Number:
		return hclNumber(v.Text)
	case yaml.Bare:
		return strings.TrimSpace(v.Text)
	case yaml.Template:
		return w.template(v, own)
	}
	return "null"
}

// hclNumber writes a number of YAML: HCL doesn't have .5 and 5.
func hclNumber(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	if i := strings.IndexByte(text, '.'); i >= 0 && (i+1 == len(text) || text[i+1] < '0' || text[i+1] > '9') {
		text = text[:i] + text[i+1:]
	}
	return sign + text
}

// template writes text: as an expression if it is one ${…}, as a heredoc if it has several lines, and otherwise in quotes.
func (w *hclWriter) template(v *yaml.Value, own bool) string {
	src := []byte(v.Text)
	e, hclDiags := hclsyntax.ParseTemplate(src, "", hcl.InitialPos)
	if hclDiags.HasErrors() {
		return `"` + quotedText(v.Text) + `"`
	}
	if wrap, ok := e.(*hclsyntax.TemplateWrapExpr); ok {
		if p, ok := wrap.Wrapped.(*hclsyntax.ParenthesesExpr); ok { // nothing else is in it
			return alone(p.Expression, source(p.Expression, src), source(p, src))
		}
		text := source(wrap.Wrapped, src)
		wantsText := v.Want == cty.String
		if own || !wantsText && v.Want != cty.DynamicPseudoType || wantsText && w.isText(wrap.Wrapped) {
			return alone(wrap.Wrapped, text, "("+text+")")
		}
		return `"${` + text + `}"`
	}
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return `"` + quotedText(v.Text) + `"`
	}
	if strings.Count(v.Text, "\n") > 1 && strings.HasSuffix(v.Text, "\n") {
		if text, ok := heredoc(v.Text, e); ok {
			return text
		}
	}
	return `"` + templates{src: src, quoted: true}.text(t.Parts) + `"`
}

// alone writes an expression outside of a template. A new line ends it there, unless it is between brackets.
func alone(e hclsyntax.Expression, text, bracketed string) string {
	if strings.Contains(text, "\n") {
		switch e.(type) {
		case *hclsyntax.ObjectConsExpr, *hclsyntax.TupleConsExpr, *hclsyntax.ForExpr, *hclsyntax.FunctionCallExpr:
		default:
			return bracketed
		}
	}
	return text
}

// heredoc writes text over several lines. It returns false if a part of the text would be read as something else.
func heredoc(text string, e hclsyntax.Expression) (string, bool) {
	marker := "EOT"
	for strings.Contains(text, marker) {
		marker += "T"
	}
	want := printed(e)
	for _, try := range []string{"<<-" + marker + "\n" + indentedText(text) + "  " + marker + "\n", "<<" + marker + "\n" + text + marker + "\n"} {
		if expr.Gate([]byte("x = "+try)) != nil {
			return "", false
		}
		back, hclDiags := hclsyntax.ParseExpression([]byte(try), "", hcl.InitialPos)
		if !hclDiags.HasErrors() && printed(back) == want {
			return strings.TrimSuffix(try, "\n"), true
		}
	}
	return "", false
}

func indentedText(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// isText reports whether an expression is certainly text, as far as this file shows.
func (w *hclWriter) isText(e hclsyntax.Expression) bool {
	switch e := expr.Bare(e).(type) {
	case *hclsyntax.TemplateExpr:
		return true
	case *hclsyntax.ScopeTraversalExpr:
		return w.types[string(printed(e))]
	}
	return false
}

// definiteIn returns the references whose declaration in the tree has the type text.
func definiteIn(root *yaml.Body) map[string]bool {
	out := map[string]bool{}
	declare := func(prefix string, item *yaml.Item) {
		text := false
		for _, a := range item.Body.Items {
			if a.Name == "type" && a.Value != nil {
				t, err := types.ParseString(strings.TrimSpace(a.Value.Text))
				text = err == nil && t == cty.String
			}
		}
		known, there := out[prefix+item.Label]
		out[prefix+item.Label] = text && (known || !there)
	}
	for _, item := range root.Items {
		switch {
		case item.Body == nil:
		case item.Name == "variable":
			declare("var.", item)
		case item.Name == "pipeline":
			for _, p := range item.Body.Items {
				if p.Body != nil && p.Name == "param" {
					declare("param.", p)
				}
			}
		}
	}
	return out
}

// piece is the written form of one element of a list or a map.
type piece struct {
	text string
	end  int // up to where the source has been written with it
}

func (w *hclWriter) list(v *yaml.Value, own bool) (text string, written int) {
	parts, long := w.elements(v, own)
	if !long {
		return "[" + strings.Join(texts(parts), ", ") + "]", v.Start
	}
	var b strings.Builder
	b.WriteString("[\n")
	from := v.Start
	for i, p := range parts {
		b.WriteString(w.above(&from, v.Elements[i].Start))
		b.WriteString(p.text)
		if !strings.HasPrefix(p.text, "<<") {
			b.WriteString(",")
		} else {
			b.WriteString("\n,")
		}
		from = max(from, p.end)
		b.WriteString(w.behind(&from) + "\n")
	}
	b.WriteString(w.above(&from, v.End) + "]")
	return b.String(), from
}

// elements returns the written elements, and whether each has its own line.
func (w *hclWriter) elements(v *yaml.Value, own bool) (parts []piece, long bool) {
	length := 0
	long = len(w.comments.between(v.Start, v.End)) > 0
	for _, e := range v.Elements {
		p, written := w.value(e, own)
		parts = append(parts, piece{p, max(e.End, written)})
		length += len(p) + 2
		long = long || strings.Contains(p, "\n") || v.Kind == yaml.List && e.Kind == yaml.Map && len(v.Elements) > 1
	}
	return parts, long || length > maxFlow
}

func texts(parts []piece) []string {
	var out []string
	for _, p := range parts {
		out = append(out, p.text)
	}
	return out
}

func (w *hclWriter) object(v *yaml.Value, own bool) (text string, written int) {
	if len(v.Elements) == 0 {
		return "{}", v.Start
	}
	parts, long := w.elements(v, own)
	long = long || len(parts) > 2
	var b strings.Builder
	from := v.Start
	for i, p := range parts {
		line := hclKey(v.Keys[i].Text) + " = " + p.text
		switch {
		case long:
			b.WriteString(w.above(&from, max(v.Keys[i].Start, v.Elements[i].Start)))
			b.WriteString(line)
			from = max(from, p.end)
			b.WriteString(w.behind(&from) + "\n")
		case i > 0:
			b.WriteString(", " + line)
		default:
			b.WriteString(line)
		}
	}
	if !long {
		return "{ " + b.String() + " }", v.Start
	}
	b.WriteString(w.above(&from, v.End))
	return "{\n" + b.String() + "}", from
}

// above returns the comments up to a position, as lines of their own.
func (w *hclWriter) above(from *int, to int) string {
	lines := marked(w.comments.between(*from, to))
	*from = max(*from, to)
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// behind returns the comment on the rest of the line.
func (w *hclWriter) behind(from *int) string {
	list := w.comments.behind(*from)
	if len(list) == 0 {
		return ""
	}
	*from = list[len(list)-1].end
	return onLine(list)
}

// hclKey writes a key of an object: a name, text, or an expression in parentheses.
func hclKey(text string) string {
	if hclsyntax.ValidIdentifier(text) && !word.MatchString(text) && text != "for" {
		return text
	}
	src := []byte(text)
	switch e, hclDiags := hclsyntax.ParseTemplate(src, "", hcl.InitialPos); {
	case hclDiags.HasErrors():
	default:
		switch e := e.(type) {
		case *hclsyntax.TemplateWrapExpr:
			return "(" + source(e.Wrapped, src) + ")"
		case *hclsyntax.TemplateExpr:
			return `"` + templates{src: src, quoted: true}.text(e.Parts) + `"`
		}
	}
	return `"` + quotedText(text) + `"`
}
