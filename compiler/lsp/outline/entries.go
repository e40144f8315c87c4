package outline

import "strings"

// Entries returns the entries of an attribute that is short for blocks, as these blocks: X = step.a.X of inputs is the block
// input "X" with the attribute `value`. It returns nil for other attributes.
func (f *File) Entries(a *Attr) []*Block {
	if a.Def == nil || a.Def.Short == nil || a.Block.Def == nil {
		return nil
	}
	def := a.Block.Def.Block(a.Def.Short.Block)
	if def == nil {
		return nil
	}
	keys := f.Keys(a.Value)
	out := make([]*Block, 0, len(keys))
	for i, key := range keys {
		end := a.Value.End
		if i+1 < len(keys) {
			end = keys[i+1].Start
		}
		b := &Block{Def: def, Parent: a.Block, Type: def.Name, At: key, Span: Span{key.Start, end}, Labels: []Label{{Text: f.Text(key), At: key}}}
		b.Attrs = []*Attr{{Def: def.Attribute(a.Def.Short.Attribute), Block: b, Name: a.Def.Short.Attribute, At: key, Value: f.valueOf(key.End, end)}}
		out = append(out, b)
	}
	return out
}

// valueOf returns the value of an entry whose key ends at an offset, and that ends before another one.
func (f *File) valueOf(from, to int) Span {
	const blanks = " \t\r\n"
	text := f.Src[from:to]
	trimmed := strings.TrimLeft(string(text), blanks+`"'=:`)
	from += len(text) - len(trimmed)
	return Span{from, from + len(strings.TrimRight(trimmed, blanks+`,}"'`))}
}
