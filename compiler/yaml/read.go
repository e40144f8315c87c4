package yaml

import (
	"slices"

	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// reader applies the table to the document.
type reader struct {
	places *places
	tree   *Tree

	aliases        []*lib.Node // being followed, outermost first
	aliased        int         // nodes read through aliases
	full           bool        // a limit has been reached and reported
	arguments      bool        // a value of the format "arguments" is being read: its lists may contain lists
	pipeline, step string
}

func (r *reader) tell(d diag.Diagnostic) { r.tree.told = append(r.tree.told, d) }

// enter reports whether a node may be read, and follows an alias to its target. leave ends what enter started.
func (r *reader) enter(n *lib.Node, depth int) (target *lib.Node, ok bool) {
	if r.full {
		return nil, false
	}
	if depth > expr.MaxNesting {
		r.full = true
		r.tell(tooDeep(r.places.nodeAt(n)))
		return nil, false
	}
	if (len(r.aliases) > 0 || n.Kind == lib.AliasNode) && !r.repeated(n, 1+len(n.Value)/64) {
		return nil, false
	}
	if n.Kind != lib.AliasNode {
		return n, true
	}
	if n.Alias == nil || slices.Contains(r.aliases, n.Alias) || n.Alias.Kind == lib.AliasNode {
		r.tell(diag.New("syntax", r.places.nodeAt(n), "the alias *%s is inside of the value that it repeats", n.Value))
		return nil, false
	}
	return n.Alias, true
}

// repeated counts what is read again for an alias. Long text counts more.
func (r *reader) repeated(n *lib.Node, count int) bool {
	if r.aliased += count; r.aliased <= maxAliased {
		return true
	}
	r.full = true
	r.tell(diag.New("too-large", r.places.nodeAt(n), "aliases repeat more than %d values", maxAliased).
		WithDetail("Each alias is read as if its value were written there."))
	return false
}

// through marks what is read now as read for an alias.
func (r *reader) through(from, to *lib.Node) (leave func()) {
	if from == to {
		return func() {}
	}
	r.aliases = append(r.aliases, to)
	return func() { r.aliases = r.aliases[:len(r.aliases)-1] }
}

// body reads the content of a block.
func (r *reader) body(b *Body, from *lib.Node, depth int) {
	n, ok := r.enter(from, depth)
	if !ok {
		return
	}
	defer r.through(from, n)()
	if n.Kind != lib.MappingNode {
		r.notMap(b, n)
		return
	}
	start := r.places.properties(r.places.offset(n.Line, n.Column))
	b.Start, b.End = start, start
	for _, e := range r.entries(n, depth) {
		r.item(b, e, depth)
		b.End = max(b.End, e.end)
	}
	if n.Style&lib.FlowStyle != 0 {
		b.End = r.places.closing(max(b.End, b.Start+1))
	}
}

// item reads one key of a body with its value.
func (r *reader) item(b *Body, e *entry, depth int) {
	name := e.name.text
	at := e.name.inner()
	if b.Def.Free {
		v := r.value(e.value, anything, language.Const, depth+1)
		b.add(&Item{Name: name, Value: v, name: at}, e, v)
		return
	}
	attr, block := b.Def.Attribute(name), b.Def.Block(name)
	if attr != nil && block != nil { // cache, and cache with settings
		if target := e.value; target.Kind == lib.MappingNode || target.Kind == lib.AliasNode && target.Alias != nil && target.Alias.Kind == lib.MappingNode {
			attr = nil
		} else {
			block = nil
		}
	}
	if attr == nil && block == nil {
		block = r.meant(b.Def, name, e.value)
	}
	if block != nil {
		r.blocks(b, block, e, depth+1)
		return
	}
	kind, want := language.Const, anything
	if attr != nil {
		kind, want = attr.Kind, wanted(attr, e.siblings)
	}
	r.arguments = attr != nil && attr.Format == "arguments"
	v := r.value(e.value, want, kind, depth+1)
	r.arguments = false
	if v != nil && attr != nil && attr.Kind == language.Ref && attr.Type != "" {
		v.bareIf(attr.Name + ".")
	}
	b.add(&Item{Name: name, Attribute: attr, Value: v, name: at}, e, v)
}

// add adds an item to the body, or records that its value was faulty.
func (b *Body) add(item *Item, e *entry, v *Value) {
	if v == nil {
		b.tried = append(b.tried, item.Name)
		e.end = max(e.end, e.name.end)
		return
	}
	item.Start, item.End = e.name.start, max(v.End, e.name.end)
	e.end = max(e.end, item.End)
	b.Items = append(b.Items, item)
}

// meant returns the type of block for a misspelled name, if its value is a map and the name of a block is similar. The
// decoder reports the name.
func (r *reader) meant(def *language.Block, name string, n *lib.Node) *language.Block {
	if n.Kind != lib.MappingNode {
		return nil
	}
	return def.Block(diag.Suggest(name, def.Names()))
}
