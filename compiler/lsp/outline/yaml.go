package outline

import (
	"sort"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lsp/sketch"
	compiled "pipec.dev/pipec/compiler/yaml"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// yaml is what is stored of a file in YAML besides its outline: the meaning of its nodes.
type yaml struct {
	file   *sketch.File
	bodies map[*sketch.Node]*Block // the contents of blocks
	attrs  map[*sketch.Entry]*Attr
	labels map[*sketch.Entry]*Block // the label of a block
	kinds  map[*sketch.Entry]kindOf // the name of a type of block
	values map[*Attr]*sketch.Node
	heads  []head // of blocks, by their place
	order  []*Attr
}

// kindOf is a type of block where it is named: once for all blocks of the type.
type kindOf struct {
	parent *Block
	def    *language.Block
}

// head is a type or a label of a block.
type head struct {
	at    Span
	block *Block
}

// ParseYAML returns the outline of any file in YAML. Its references are those in ${…}, and those where the language expects
// a reference or a type.
func ParseYAML(src []byte, root *language.Block) *File {
	y := &yaml{
		file: sketch.Read(src), bodies: map[*sketch.Node]*Block{}, attrs: map[*sketch.Entry]*Attr{}, labels: map[*sketch.Entry]*Block{},
		kinds: map[*sketch.Entry]kindOf{}, values: map[*Attr]*sketch.Node{},
	}
	f := &File{Src: src, yaml: y}
	f.Root = &Block{Def: root, Open: true, Body: Span{0, len(src)}, Span: Span{0, len(src)}}
	w := walker{f, y}
	w.body(f.Root, y.file.Root)
	f.Root.Body, f.Root.Span = Span{0, len(src)}, Span{0, len(src)}
	f.tokens = append(f.tokens, token{start: int32(len(src)), end: int32(len(src)), kind: eof})
	sort.SliceStable(f.Refs, func(i, j int) bool { return f.Refs[i].Parts[0].At.Start < f.Refs[j].Parts[0].At.Start })
	sort.SliceStable(f.Calls, func(i, j int) bool { return f.Calls[i].At.Start < f.Calls[j].At.Start })
	sort.SliceStable(y.heads, func(i, j int) bool { return y.heads[i].at.Start < y.heads[j].at.Start })
	return f
}

// walker applies the table to the nodes.
type walker struct {
	*File
	yaml *yaml
}

func (w *walker) body(b *Block, n *sketch.Node) {
	b.Open = true
	b.Body = Span{n.Start, n.End}
	w.yaml.bodies[n] = b
	for _, e := range n.Entries {
		w.entry(b, e)
	}
}

// entry reads a key of a body: an attribute, or a type of block with all its blocks.
func (w *walker) entry(b *Block, e *sketch.Entry) {
	name := w.Text(Span(e.Key.Inner))
	if b.Def == nil || b.Def.Free {
		w.attribute(b, e, name, nil)
		return
	}
	def, attr := b.Def.Block(name), b.Def.Attribute(name)
	if def == nil && attr == nil && e.Value.Kind == sketch.Map { // a block with a misspelled name, as in the compiler
		def = b.Def.Block(diag.Suggest(name, b.Def.Names()))
	}
	if def == nil || attr != nil && e.Value.Kind != sketch.Map { // cache, and cache with settings
		w.attribute(b, e, name, attr)
		return
	}
	if e.Colon < 0 {
		return // it is being typed
	}
	w.yaml.kinds[e] = kindOf{b, def}
	at := Span(e.Key.Inner)
	switch {
	case def.Label == "" && e.Value.Kind == sketch.List:
		for i, item := range e.Value.Items {
			n := &Block{Def: def, Parent: b, Type: name, At: at, Span: Span{e.Key.Start, item.End}}
			if i > 0 {
				n.At, n.Span.Start = Span{item.Start, item.Start}, item.Start
			}
			w.block(n, item.Value)
		}
	case def.Label == "" || def.Optional && unlabelled(e.Value):
		w.block(&Block{Def: def, Parent: b, Type: name, At: at, Span: Span{e.Key.Start, e.End}}, e.Value)
	case e.Value.Kind == sketch.Map:
		for _, l := range e.Value.Entries {
			label := Label{w.Text(Span(l.Key.Inner)), Span(l.Key.Inner)}
			n := &Block{Def: def, Parent: b, Type: name, At: at, Labels: []Label{label}, Span: Span{l.Key.Start, max(l.Key.End, l.Value.End)}}
			w.yaml.labels[l] = n
			w.yaml.heads = append(w.yaml.heads, head{label.At, n})
			w.block(n, l.Value)
		}
	}
	if i := len(b.Blocks) - 1; i >= 0 && b.Blocks[i].Type == name {
		w.yaml.heads = append(w.yaml.heads, head{at, b.Blocks[i]})
	}
}

// unlabelled reports whether a value has the attributes of a block without a label, and not blocks by their labels.
func unlabelled(n *sketch.Node) bool {
	if n.Kind != sketch.Map {
		return true
	}
	for _, e := range n.Entries {
		if e.Colon >= 0 && e.Value.Kind != sketch.Map && e.Value.Kind != sketch.Nothing {
			return true
		}
	}
	return false
}

func (w *walker) block(n *Block, body *sketch.Node) {
	n.Parent.Blocks = append(n.Parent.Blocks, n)
	w.body(n, body)
}

func (w *walker) attribute(b *Block, e *sketch.Entry, name string, def *language.Attribute) {
	if e.Colon < 0 {
		return
	}
	a := &Attr{Def: def, Block: b, Name: name, At: Span(e.Key.Inner), Value: Span{e.Colon + 1, max(e.Colon+1, e.Value.End)}}
	b.Attrs = append(b.Attrs, a)
	w.yaml.attrs[e] = a
	w.yaml.values[a] = e.Value
	w.yaml.order = append(w.yaml.order, a)
	if isNames(a) && e.Value.Kind == sketch.Text {
		w.text(a, e.Value, false) // neither a map of types nor a list of names
		return
	}
	w.value(a, e.Value)
}

// isNames reports whether an attribute is a map of types or a list of names.
func isNames(a *Attr) bool { return a.Def != nil && a.Def.Kind == language.Types }

// value records the references and calls of a value.
func (w *walker) value(a *Attr, n *sketch.Node) {
	for _, item := range n.Items {
		if isNames(a) && item.Value.Kind == sketch.Text {
			w.text(a, item.Value, false)
			continue
		}
		w.value(a, item.Value)
	}
	for _, e := range n.Entries {
		w.text(a, e.Key, false)
		w.value(a, e.Value)
	}
	if n.Kind == sketch.Text {
		w.text(a, n, bare(a, w.Text(Span(n.Inner))))
	}
}

// bare reports whether the text of an attribute is an expression without ${…}.
func bare(a *Attr, text string) bool {
	if a.Def == nil {
		return false
	}
	switch a.Def.Kind {
	case language.Type, language.Types, language.Refs:
		return true
	case language.Ref:
		return a.Def.Type == "" || len(text) > len(a.Name) && text[:len(a.Name)+1] == a.Name+"."
	}
	return false
}

// Whole returns the text of a value as HCL writes it: an expression, or text in quotes; "" if the value is not one text.
func (f *File) Whole(a *Attr) string {
	n := (*sketch.Node)(nil)
	if f.yaml == nil {
		return trimmed(f.Text(a.Value))
	} else if n = f.yaml.values[a]; n == nil || n.Kind != sketch.Text {
		return trimmed(f.Text(a.Value))
	}
	text := f.Text(Span(n.Inner))
	switch {
	case bare(a, text):
		return trimmed(text)
	case len(text) > 3 && text[:2] == "${" && text[len(text)-1] == '}' && len(f.RefsIn(a.Value)) < 2:
		return trimmed(text[2 : len(text)-1])
	case n.Style == sketch.Plain:
		wantsText := a.Def != nil && (a.Def.Type == "string" || f.textBeside(a))
		if kind, plain := compiled.PlainText(text, wantsText); kind != compiled.Template {
			return plain
		}
	}
	return `"` + text + `"`
}

// textBeside reports whether the type that is declared next to a value is text, so that a number is text too.
func (f *File) textBeside(a *Attr) bool {
	t := a.Block.Attr("type")
	if t == nil || t == a || a.Block.Def == nil || a.Block.Def.Attribute("type") == nil {
		return false
	}
	typ, err := types.ParseString(f.Whole(t))
	return err == nil && types.String(typ) == "string"
}
