package yaml

import (
	"cmp"
	"strings"

	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
)

// blocks reads the value of a type of block: a map by label, one body, or a list of bodies.
func (r *reader) blocks(b *Body, def *language.Block, e *entry, depth int) {
	n, ok := r.enter(e.value, depth)
	if !ok {
		b.tried = append(b.tried, def.Name)
		return
	}
	defer r.through(e.value, n)()
	at := e.name.inner()
	e.end = max(e.end, e.name.end)
	switch {
	case n.Kind == lib.MappingNode && (def.Label == "" || def.Optional && bare(n)):
		r.block(b, def, e, e.value, at, nil, depth)
	case n.Kind == lib.MappingNode:
		entries := r.entries(n, depth)
		if len(entries) == 0 && !r.full {
			r.empty(b, def, e)
		}
		for _, l := range entries {
			r.block(b, def, e, l.value, at, l.name, depth+1)
		}
	case n.Kind == lib.SequenceNode && def.Label == "" && !def.Single:
		for _, element := range n.Content {
			r.block(b, def, e, element, at, nil, depth+1)
		}
	default:
		b.tried = append(b.tried, def.Name)
		r.notBlock(def, e, n)
	}
	if n.Style&lib.FlowStyle != 0 {
		e.end = r.places.closing(e.end)
	}
}

// bare reports whether a map has the attributes of a block without a label, and not blocks by their labels: a value is not a map.
func bare(n *lib.Node) bool {
	for i := 1; i < len(n.Content); i += 2 {
		value := n.Content[i]
		if value.Kind == lib.AliasNode && value.Alias != nil {
			value = value.Alias
		}
		if value.Kind != lib.MappingNode {
			return true
		}
	}
	return len(n.Content) == 0
}

// block reads one block.
func (r *reader) block(parent *Body, def *language.Block, e *entry, n *lib.Node, at span, label *scalar, depth int) {
	item := &Item{Name: e.name.text, name: at, label: at, Start: at.start, TypeStart: at.start, Body: &Body{Def: def, Start: at.end, End: at.end}}
	if label != nil {
		item.Label, item.label, item.Start = label.text, label.inner(), label.start
		item.Body.Start, item.Body.End = label.end, label.end
		item.Body.label = label.text
	}
	switch def.Name {
	case "pipeline":
		r.pipeline = item.Label
		defer func() { r.pipeline = "" }()
	case "step", "finally":
		r.step = item.Label
		defer func() { r.step = "" }()
	}
	before := len(r.tree.told)
	r.body(item.Body, n, depth)
	item.End = max(item.Body.End, item.label.end)
	e.end = max(e.end, item.End)
	if len(r.tree.told) > before && len(item.Body.Items) == 0 {
		parent.tried = append(parent.tried, def.Name)
		return
	}
	parent.Items = append(parent.Items, item)
}

// notMap reports a value that should be the attributes of a block.
func (r *reader) notMap(b *Body, n *lib.Node) {
	if b.Def.Name == "" {
		if n.Kind == lib.ScalarNode && isNull(n) {
			return // a file that has only comments
		}
		r.tell(diag.New("syntax", r.places.nodeAt(n), "a file must be a map of blocks, found %s", described(n)).
			WithDetail("The blocks at the top are %s.", strings.Join(b.Def.Names(), ", ")))
		return
	}
	d := diag.New("syntax", r.places.nodeAt(n), "%s must be a map of attributes, found %s", article(b.Def.Name), described(n))
	if isNull(n) {
		d = d.WithSuggestion("write {} for a block without attributes")
	} else {
		d = r.shorthand(d, b.Def, cmp.Or(b.label, b.Def.Name), n)
	}
	r.tell(d)
}

// shorthand adds to d how a block is written that n, a single value or a list, is short for. name is the key.
func (r *reader) shorthand(d diag.Diagnostic, def *language.Block, name string, n *lib.Node) diag.Diagnostic {
	main := def.Main()
	if main == nil || n.Kind == lib.MappingNode {
		return d
	}
	value := r.between(n)
	if main.Format == "arguments" && n.Kind == lib.ScalarNode && !strings.ContainsAny(value, "\"'…") {
		value = "[" + strings.Join(strings.Fields(value), ", ") + "]"
	}
	return d.WithSuggestion("write %s: {%s: %s}", name, main.Name, value)
}

// between returns the source of a single value as it is written between brackets, or "…" for any other value and for long text.
func (r *reader) between(n *lib.Node) string {
	if n.Kind != lib.ScalarNode {
		return "…"
	}
	s := r.places.find(n)
	text := string(r.places.src[s.start:s.end])
	switch {
	case s.end-s.start > maxShorthand || strings.Contains(text, "\n"):
		return "…"
	case form(n) != Plain || !strings.ContainsAny(text, "{}[],#"):
		return text
	case strings.Contains(text, `"`):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return `"` + text + `"`
}

// maxShorthand is the length of a value that a suggestion repeats.
const maxShorthand = 60

// notBlock reports a value that should be blocks.
func (r *reader) notBlock(def *language.Block, e *entry, n *lib.Node) {
	at := r.places.nodeAt(n)
	if isNull(n) {
		at = r.places.span(e.name.inner())
	}
	form := "attributes"
	switch {
	case def.Labels != nil:
		form = "kinds: " + def.Name + ": { " + def.Labels[0] + ": { … } }"
	case def.Label != "" && !(def.Optional && n.Kind == lib.ScalarNode):
		form = "names: " + def.Name + ": { " + strings.ToUpper(def.Label) + ": { … } }"
	}
	d := diag.New("syntax", at, "`%s` must be a map of %s, found %s", def.Name, form, described(n))
	switch {
	case isNull(n) && def.Bare():
		d = d.WithSuggestion("write %s: {}, or remove it", def.Name)
	case n.Kind == lib.SequenceNode && def.Label != "":
		d = d.WithSuggestion("write the %s as a key before each, without the -", def.Label)
	case n.Kind == lib.SequenceNode:
		d = d.WithDetail("Only one is allowed here.")
	case def.Bare():
		d = r.shorthand(d, def, def.Name, n)
	}
	r.tell(d)
}

// empty reports a block without its label: step: {}.
func (r *reader) empty(b *Body, def *language.Block, e *entry) {
	b.tried = append(b.tried, def.Name)
	label := strings.ToUpper(def.Label)
	if def.Labels != nil {
		label = def.Labels[0]
	}
	r.tell(diag.New("missing", r.places.span(e.name.inner()), "the %s of this %s is missing", def.Label, def.Name).
		WithSuggestion("write %s: { %s: { … } }", def.Name, label))
}

func article(name string) string {
	if name != "" && strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name + " block"
	}
	return "a " + name + " block"
}

// described returns what a node is, for messages.
func described(n *lib.Node) string {
	switch {
	case n.Kind == lib.SequenceNode:
		return "a list"
	case n.Kind == lib.MappingNode:
		return "a map"
	case isNull(n):
		return "empty"
	}
	return "a single value"
}
