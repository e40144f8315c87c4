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

// anything is the expected type if the table has none.
var anything = cty.DynamicPseudoType

// wanted returns the expected type of an attribute's value. If the table has any, the type next to it counts: the default
// of a variable of type string keeps its text too.
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

// inside returns the expected type of an element, by its key.
func inside(want cty.Type, key string) cty.Type {
	switch {
	case want.IsCollectionType():
		return want.ElementType()
	case want.IsObjectType() && want.HasAttribute(key):
		return want.AttributeType(key)
	}
	return anything
}

// value reads the value of an attribute. It reports a faulty value and returns nil.
func (r *reader) value(from *lib.Node, want cty.Type, kind language.Kind, depth int) *Value {
	n, ok := r.enter(from, depth)
	if !ok {
		return nil
	}
	defer r.through(from, n)()
	if kind == language.Types {
		kind, want = elementsOf(n)
	}
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
		if want == cty.String && n.Style&lib.FlowStyle != 0 && kind != language.Ref && !r.arguments {
			r.notText(n, "list")
			return nil
		}
		v.Kind = List
		if r.arguments {
			want = cty.List(cty.String) // the type of the lists inside, too
			v.Want = want
		}
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

// elementsOf returns what the elements of a value of the kind Types are: types in a map, and names in a list.
func elementsOf(n *lib.Node) (language.Kind, cty.Type) {
	if n.Kind == lib.MappingNode {
		return language.Type, anything
	}
	return language.Const, cty.List(cty.String)
}

// notText reports a { or a [ where text is expected, because it starts a map or a list in YAML.
func (r *reader) notText(n *lib.Node, what string) {
	at := r.places.nodeAt(n)
	r.tell(diag.New("type-mismatch", at, "expected text, but a %s starts a %s here", string(r.places.src[at.Start.Byte:at.End.Byte]), what).
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

// text reads a scalar as YAML 1.2's core schema does, unless text is expected.
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
				WithSuggestion("remove it; text that starts with a ! must be in quotes"))
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

// PlainText returns the kind of text without quotes, Null, Bool, Number or Template, and how the language writes it.
// wantsText: a number is text too.
func PlainText(text string, wantsText bool) (Kind, string) {
	switch kind := plainKind(text, wantsText); {
	case kind == Null:
		return kind, "null"
	case kind == Bool:
		return kind, strings.ToLower(text)
	case kind == Number && len(text) <= expr.MaxDigits: // otherwise it has been reported, and is not a number
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

// bareIf converts a template that starts with prefix to bare text: image.name, if an image may also be any text.
func (v *Value) bareIf(prefix string) {
	if v.Kind == Bare && !referenceText.MatchString(v.Text) || v.Kind == Bare && !strings.HasPrefix(v.Text, prefix) {
		v.Kind, v.Want = Template, cty.String
	}
}

// referenceText matches text that can only be a reference.
var referenceText = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*|\[("[^"]*"|[0-9]+)\])+$`)

func nullText(s string) bool { return s == "" || s == "~" || s == "null" || s == "Null" || s == "NULL" }

func boolText(s string) bool {
	return s == "true" || s == "True" || s == "TRUE" || s == "false" || s == "False" || s == "FALSE"
}

func isNull(n *lib.Node) bool {
	return n.Kind == lib.ScalarNode && form(n) == Plain && n.Style&lib.TaggedStyle == 0 && nullText(n.Value)
}

// scalar finds the position of a scalar, and records it: a # inside of a scalar doesn't start a comment.
func (r *reader) scalar(n *lib.Node) *scalar {
	s := r.places.find(n)
	r.tree.scalars = append(r.tree.scalars, span{s.start, s.end})
	return s
}

// nodeAt returns the range of a node: the whole scalar, and otherwise its start.
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

// closing returns the position after the bracket that follows, if there is one.
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
