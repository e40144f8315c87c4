package yaml

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// anything is what is wanted where the table doesn't say.
var anything = cty.DynamicPseudoType

// wanted is the type of an attribute's value. Where the table has it as any, the type beside it counts: the default of
// a variable of type string keeps its text too.
func wanted(a *language.Attribute, siblings []*entry) cty.Type {
	t, err := types.ParseString(a.Type)
	if err != nil {
		return anything
	}
	if t != anything || a.Name != "default" && a.Name != "value" {
		return t
	}
	for _, e := range siblings {
		if e.name.text == "type" && e.value.Kind == lib.ScalarNode {
			if t, err := types.ParseString(e.value.Value); err == nil {
				return t
			}
		}
	}
	return anything
}

// inside is what is wanted of an element, by its key.
func inside(want cty.Type, key string) cty.Type {
	switch {
	case want.IsCollectionType():
		return want.ElementType()
	case want.IsObjectType() && want.HasAttribute(key):
		return want.AttributeType(key)
	}
	return anything
}

// value reads what stands behind an attribute. nil: it is faulty, and that is told.
func (r *reader) value(from *lib.Node, want cty.Type, kind language.Kind, depth int) *Value {
	n, ok := r.enter(from, depth)
	if !ok {
		return nil
	}
	defer r.through(from, n)()
	v := &Value{Want: want, pipeline: r.pipeline, step: r.step, kind: kind}
	switch n.Kind {
	case lib.MappingNode:
		if want == cty.String && n.Style&lib.FlowStyle != 0 {
			r.notText(n, "map")
			return nil
		}
		before := len(r.tree.told)
		r.mapping(v, n, kind, depth)
		if len(v.Elements) == 0 && len(r.tree.told) > before {
			return nil
		}
	case lib.SequenceNode:
		if want == cty.String && n.Style&lib.FlowStyle != 0 && kind != language.Ref {
			r.notText(n, "list")
			return nil
		}
		v.Kind = List
		v.Start = r.places.properties(r.places.offset(n.Line, n.Column))
		v.End = v.Start
		for i, c := range n.Content {
			w := inside(want, "")
			if want.IsTupleType() && i < want.Length() {
				w = want.TupleElementType(i)
			}
			if e := r.value(c, w, kind, depth+1); e != nil {
				v.Elements = append(v.Elements, e)
				v.End = max(v.End, e.End)
			}
		}
		if n.Style&lib.FlowStyle != 0 {
			v.End = r.places.closing(max(v.End, v.Start+1))
		}
	case lib.ScalarNode:
		if !r.text(v, n, kind) {
			return nil
		}
	default:
		return nil
	}
	return v
}

// notText tells a { or a [ where text is wanted, which in YAML starts something else.
func (r *reader) notText(n *lib.Node, what string) {
	at := r.places.nodeAt(n)
	r.tell(diag.New("type-mismatch", at, "a %s starts a %s here, and text is wanted", string(r.places.src[at.Start.Byte:at.End.Byte]), what).
		WithDetail("An expression is written ${…}.").WithSuggestion("quote it"))
}

func (r *reader) mapping(v *Value, n *lib.Node, kind language.Kind, depth int) {
	v.Kind = Map
	v.Start = r.places.properties(r.places.offset(n.Line, n.Column))
	v.End = v.Start
	for _, e := range r.entries(n, depth) {
		item := r.value(e.value, inside(v.Want, e.name.text), kind, depth+1)
		if item == nil {
			continue
		}
		key := &Value{Kind: Template, Text: e.name.text, Want: cty.String, Start: e.name.start, End: e.name.end, scalar: e.name, Style: form(e.key)}
		v.Keys, v.Elements = append(v.Keys, key), append(v.Elements, item)
		v.End = max(v.End, item.End, key.End)
	}
	if n.Style&lib.FlowStyle != 0 {
		v.End = r.places.closing(max(v.End, v.Start+1))
	}
}

func form(n *lib.Node) ScalarForm {
	switch {
	case n.Style&(lib.DoubleQuotedStyle|lib.SingleQuotedStyle) != 0:
		return Quoted
	case n.Style&(lib.LiteralStyle|lib.FoldedStyle) != 0:
		return Block
	}
	return Plain
}

// text reads a scalar as YAML 1.2's core schema does, but for what is wanted as text.
func (r *reader) text(v *Value, n *lib.Node, kind language.Kind) bool {
	s := r.scalar(n)
	v.scalar, v.Text, v.Start, v.End, v.Style = s, s.text, s.start, s.end, form(n)
	plain := v.Style == Plain
	if n.Style&lib.TaggedStyle != 0 {
		switch n.ShortTag() {
		case "!!str":
			plain = false
		case "!!null", "!!bool", "!!int", "!!float":
		default:
			r.tell(diag.New("syntax", r.places.nodeAt(n), "the tag %s has no meaning here", n.ShortTag()).
				WithSuggestion("take it out; text that starts with a ! is quoted"))
			return false
		}
	}
	switch {
	case kind == language.Type || kind == language.Ref || kind == language.Refs:
		v.Kind = Bare
		if plain && nullText(s.text) {
			v.Kind = Null
		}
		return true
	case plain:
		v.Kind = plainKind(s.text, v.Want == cty.String)
	default:
		v.Kind = Template
	}
	switch v.Kind {
	case Bool:
		v.Text = strings.ToLower(s.text)
	case Number:
		return r.number(v)
	}
	return true
}

// PlainText is what text without quotes is, Null, Bool, Number or Template, and how the language writes it. wantsText: a number
// there is text too.
func PlainText(text string, wantsText bool) (Kind, string) {
	switch kind := plainKind(text, wantsText); {
	case kind == Null:
		return kind, "null"
	case kind == Bool:
		return kind, strings.ToLower(text)
	case kind == Number && len(text) <= expr.MaxDigits: // else it is told, and no number
		return kind, inTens(text)
	default:
		return kind, text
	}
}

func plainKind(text string, wantsText bool) Kind {
	switch {
	case nullText(text):
		return Null
	case boolText(text):
		return Bool
	case !wantsText && looksLikeNumber(text):
		return Number
	}
	return Template
}

// bareIf makes bare text of a template that starts so: image.name where an image may also be any text.
func (v *Value) bareIf(prefix string) {
	if v.Kind == Bare && !referenceText.MatchString(v.Text) || v.Kind == Bare && !strings.HasPrefix(v.Text, prefix) {
		v.Kind, v.Want = Template, cty.String
	}
}

// referenceText is what can only be a reference.
var referenceText = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*|\[("[^"]*"|[0-9]+)\])+$`)

func nullText(s string) bool { return s == "" || s == "~" || s == "null" || s == "Null" || s == "NULL" }

func boolText(s string) bool {
	return s == "true" || s == "True" || s == "TRUE" || s == "false" || s == "False" || s == "FALSE"
}

func isNull(n *lib.Node) bool {
	return n.Kind == lib.ScalarNode && form(n) == Plain && n.Style&lib.TaggedStyle == 0 && nullText(n.Value)
}

// scalar finds where a scalar stands, and remembers it: a # inside of it starts no comment.
func (r *reader) scalar(n *lib.Node) *scalar {
	s := r.places.find(n)
	r.tree.scalars = append(r.tree.scalars, span{s.start, s.end})
	return s
}

// nodeAt is the place of a node: of a scalar the whole, else where it starts.
func (p *places) nodeAt(n *lib.Node) hcl.Range {
	start := p.offset(n.Line, n.Column)
	if n.Kind != lib.ScalarNode && n.Kind != lib.AliasNode {
		start = p.properties(start)
	}
	if n.Kind == lib.ScalarNode {
		s := p.find(n)
		return p.at(start, max(start, s.end))
	}
	end := start + 1
	if n.Kind == lib.AliasNode {
		end += len(n.Value)
	}
	return p.at(start, min(end, len(p.src)))
}

// closing is just behind the bracket that follows, where one does.
func (p *places) closing(i int) int {
	for at := p.blanks(i); at < len(p.src); at = p.blanks(at + 1) {
		switch p.src[at] {
		case ',', ':':
		case '}', ']':
			return at + 1
		default:
			return i
		}
	}
	return i
}
