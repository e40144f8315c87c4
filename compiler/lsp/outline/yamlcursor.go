package outline

import (
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/lsp/sketch"
	"pipec.dev/pipec/schema/language"
)

// step is a node on the path to a cursor, with the entry or item that contains the cursor.
type step struct {
	node  *sketch.Node
	entry *sketch.Entry // of a map; nil: the cursor is in none
	item  *sketch.Item  // of a list
	onKey bool
}

// path returns the nodes around an offset, outermost first. On a blank line, the column determines them.
func (f *File) path(offset int) []step {
	line := f.yaml.file.Line(offset)
	column := min(f.indent(line), offset-line)
	below := func(at, end, of int) bool { // the value that began at an offset continues here
		return f.yaml.file.Line(at) == line || offset <= end || column > of
	}
	var out []step
	for n := f.yaml.file.Root; ; {
		s := step{node: n}
		var next *sketch.Node
		switch n.Kind {
		case sketch.Map:
			i := sort.Search(len(n.Entries), func(i int) bool { return n.Entries[i].Key.Start > offset }) - 1
			if i < 0 {
				break
			}
			switch e := n.Entries[i]; {
			case offset <= e.Key.End:
				s.entry, s.onKey = e, true
			case e.Colon < 0 || offset <= e.Colon:
			case n.Flow && offset <= e.End, !n.Flow && below(e.Colon, e.Value.End, e.Column):
				s.entry, next = e, e.Value
			}
		case sketch.List:
			i := sort.Search(len(n.Items), func(i int) bool { return n.Items[i].Start > offset }) - 1
			if i < 0 {
				break
			}
			if item := n.Items[i]; n.Flow && offset <= item.End || !n.Flow && offset > item.Start && below(item.Start, item.End, n.Column) {
				s.item, next = item, item.Value
			}
		}
		out = append(out, s)
		if next == nil {
			return out
		}
		n = next
	}
}

func (f *File) indent(line int) int {
	i := line
	for i < len(f.Src) && f.Src[i] == ' ' {
		i++
	}
	return i - line
}

// fresh reports whether there are only blanks before an offset on its line.
func (f *File) fresh(offset int) bool {
	return strings.Trim(string(f.Src[f.yaml.file.Line(offset):offset]), " \t") == ""
}

// yamlCursor returns the surroundings of an offset of a file in YAML.
func (f *File) yamlCursor(offset int) Cursor {
	y := f.yaml
	c := Cursor{Block: f.Root, Word: Span{offset, offset}}
	if y.file.CommentAt(offset) {
		c.Silent = true
		return c
	}
	steps := f.path(offset)
	for i, s := range steps {
		if b := y.bodies[s.node]; b != nil {
			c.Block = b
		}
		if a := y.attrs[s.entry]; a != nil && !s.onKey && s.entry != nil {
			c.Attr = a
			c.inYAML(f, steps[i+1:], offset)
			return c
		}
	}
	last, before := steps[len(steps)-1], step{}
	if len(steps) > 1 {
		before = steps[len(steps)-2]
	}
	colon := -1 // before what the cursor is in
	if before.entry != nil {
		colon = before.entry.Colon
	}
	starts := last.node.Flow || f.fresh(offset) || before.item != nil && !last.node.Holds(offset)
	switch {
	case last.onKey:
		c.Word, starts = Span(last.entry.Key.Inner), true
	case last.node.Kind == sketch.Text || last.node.Kind == sketch.Alias:
		starts = last.node.Holds(offset) && last.node.Kind == sketch.Text && (colon < 0 || y.file.Line(colon) != y.file.Line(last.node.Start))
		c.Word = Span(last.node.Inner)
	case last.node.Kind == sketch.Nothing && before.item != nil:
		starts = true
	}
	k, named := y.kinds[before.entry]
	if before.entry == nil || !named || k.def.Label == "" || y.bodies[last.node] != nil {
		c.Starts = starts
		return c
	}
	if !starts {
		c.Silent = true
		return c
	}
	c.Header = &Block{Def: k.def, Parent: k.parent, Type: k.def.Name, At: Span(before.entry.Key.Inner)}
	if last.onKey && y.labels[last.entry] != nil {
		c.Header = y.labels[last.entry]
	}
	return c
}

// inYAML finds the part of a value that contains the cursor; steps lead to it from the value's own node.
func (c *Cursor) inYAML(f *File, steps []step, offset int) {
	if len(steps) == 0 {
		c.Silent = true
		return
	}
	depth := 0
	for _, s := range steps {
		if s.node.Kind == sketch.Map || s.node.Kind == sketch.List {
			depth++
		}
	}
	last := steps[len(steps)-1]
	n := last.node
	ownLine := f.yaml.file.Line(n.Start) != f.yaml.file.Line(c.Attr.Value.Start)
	ofMap := c.Attr.Def != nil && strings.HasPrefix(c.Attr.Def.Type, "map(") && depth == 0
	inner := Span(n.Inner)
	switch n.Kind {
	case sketch.Map:
		c.Depth, c.Key, c.Silent = depth, true, !last.onKey && !n.Flow && !f.fresh(offset)
		if last.onKey {
			c.Word = Span(last.entry.Key.Inner)
		}
		return
	case sketch.List:
		c.Depth, c.Silent = depth, true
		return
	case sketch.Alias:
		c.Silent = true
		return
	case sketch.Nothing:
		inner = Span{offset, offset}
		if ofMap && f.fresh(offset) {
			c.Depth, c.Key = 1, true
			return
		}
	default:
		if !n.Holds(offset) {
			c.Silent = true
			return
		}
		if ofMap && ownLine && n.Style == sketch.Plain {
			c.Depth, c.Key, c.Word = 1, true, inner
			return
		}
	}
	c.Word = f.word(inner, offset)
	if !c.bare(f.Text(inner)) {
		if !f.interpolated(inner.Start, offset) {
			c.Text, c.Bare, c.Depth = true, true, depth
			if n.Style != sketch.Block {
				c.String = inner
			}
			return
		}
		c.inTextFrom(f, inner.Start, offset, nil)
	}
	c.Silent = f.silent(offset)
	c.inValue(f, inner.Start)
	c.Depth += depth
}

// bare reports whether the text of the attribute at the cursor is, or may become, an expression without ${…}.
func (c *Cursor) bare(text string) bool {
	if c.Attr.Def == nil {
		return false
	}
	switch c.Attr.Def.Kind {
	case language.Type, language.Types, language.Refs:
		return true
	case language.Ref:
		root := c.Attr.Name + "."
		return c.Attr.Def.Type == "" || strings.HasPrefix(text, root) || strings.HasPrefix(root, text)
	}
	return false
}

// interpolated reports whether, in a text that starts at an offset, another offset is in ${…}.
func (f *File) interpolated(start, offset int) bool {
	depth := 0
	for i := f.tokenAt(start); i < len(f.tokens) && int(f.tokens[i].end) <= offset; i++ {
		switch t := f.tokens[i]; {
		case int(t.start) < start:
		case t.kind == hclsyntax.TokenTemplateInterp || t.kind == hclsyntax.TokenTemplateControl:
			depth++
		case t.kind == hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
	}
	return depth > 0
}

// word returns the name around an offset, in a range of the file.
func (f *File) word(in Span, offset int) Span {
	name := func(c byte) bool {
		return c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
	}
	w := Span{offset, offset}
	for w.Start > in.Start && name(f.Src[w.Start-1]) {
		w.Start--
	}
	for w.End < in.End && name(f.Src[w.End]) {
		w.End++
	}
	return w
}
