// Package outline finds the structure of a source file that may be half written: its blocks, attributes, references and
// calls, with their ranges. It reads tokens instead of the syntax tree, because HCL's parser drops what it can't parse, and
// text that is being typed never parses. If a file does parse, both find the same, which a test checks. The outline of a
// file in YAML is built from the nodes of package sketch and the tokens of its expressions.
//
// The package reports no faults: that is the compiler's task.
package outline

import (
	"sort"
	"strings"

	"pipec.dev/pipec/schema/language"
)

// Span is a range of bytes, from Start to End, which is excluded.
type Span struct{ Start, End int }

// Holds reports whether an offset is in the span, or just after it, where a cursor touches it.
func (s Span) Holds(offset int) bool { return s.Start <= offset && offset <= s.End }

// File is the outline of one file.
type File struct {
	Src   []byte
	Root  *Block // of the whole file; its Def is language.Root's
	Refs  []*Ref // by their place
	Calls []Call // by their place

	tokens []token
	yaml   *yaml // of a file in YAML; its tokens are those of expressions alone
}

// YAML reports whether the file is in YAML.
func (f *File) YAML() bool { return f.yaml != nil }

// Block is a block, or the top of a file.
type Block struct {
	Def    *language.Block // nil where the language has no such block there
	Parent *Block
	Type   string
	At     Span // of the type
	Labels []Label
	Span   Span // from the type to behind the closing brace
	Body   Span // between the braces; as long as the file where the block is never closed
	Open   bool // there is an opening brace
	Attrs  []*Attr
	Blocks []*Block
}

// Label is a label of a block.
type Label struct {
	Text string
	At   Span // without quotes
}

// Attr is an attribute.
type Attr struct {
	Def   *language.Attribute // nil where the language has no such attribute there
	Block *Block
	Name  string
	At    Span // of the name
	Value Span // from behind the = to the end of the line or the brace that ends it
}

// Ref is a reference in an expression, such as step.a.x. A variable of `for` is not a Ref.
type Ref struct {
	Block *Block
	Attr  *Attr
	Parts []Part
}

// Part is one name of a reference. The last one is empty after a final dot.
type Part struct {
	Name string
	At   Span
}

// Call is the name of a function that is called.
type Call struct {
	Attr *Attr
	Name string
	At   Span
}

// Label returns the first label's text, or "".
func (b *Block) Label() string {
	if len(b.Labels) == 0 {
		return ""
	}
	return b.Labels[0].Text
}

// Attr returns the attribute with a name, or nil.
func (b *Block) Attr(name string) *Attr {
	for _, a := range b.Attrs {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Inside returns the nearest block around b, or b itself, of one of these types, or nil.
func (b *Block) Inside(types ...string) *Block {
	for ; b != nil; b = b.Parent {
		for _, t := range types {
			if b.Type == t {
				return b
			}
		}
	}
	return nil
}

// BlockAt returns the innermost block whose body contains an offset.
func (f *File) BlockAt(offset int) *Block {
	b := f.Root
	for {
		i := sort.Search(len(b.Blocks), func(i int) bool { return b.Blocks[i].Span.Start > offset }) - 1
		if i < 0 || !b.Blocks[i].Open || !b.Blocks[i].Body.Holds(offset) {
			return b
		}
		b = b.Blocks[i]
	}
}

// HeaderAt returns the block whose type or labels contain an offset, or nil.
func (f *File) HeaderAt(offset int) *Block {
	if f.yaml != nil {
		return f.yaml.headAt(offset)
	}
	b := f.BlockAt(offset)
	i := sort.Search(len(b.Blocks), func(i int) bool { return b.Blocks[i].Span.Start > offset }) - 1
	if i < 0 {
		return nil
	}
	n := b.Blocks[i]
	if n.Open && offset >= n.Body.Start || !n.Open && offset > n.Span.End {
		return nil
	}
	return n
}

// AttrAt returns the attribute whose name or value contains an offset, or nil.
func (f *File) AttrAt(offset int) *Attr {
	if f.yaml != nil {
		return f.yaml.attrAt(offset)
	}
	b := f.BlockAt(offset)
	i := sort.Search(len(b.Attrs), func(i int) bool { return b.Attrs[i].At.Start > offset }) - 1
	if i < 0 || offset > b.Attrs[i].Value.End {
		return nil
	}
	return b.Attrs[i]
}

// RefAt returns the reference that contains an offset and the index of the part that does, or nil.
func (f *File) RefAt(offset int) (*Ref, int) {
	i := sort.Search(len(f.Refs), func(i int) bool { return f.Refs[i].Parts[0].At.Start > offset }) - 1
	for n := i; n >= 0 && n > i-8; n-- { // a reference may be in the index of another one
		for part, p := range f.Refs[n].Parts {
			if p.At.Holds(offset) {
				return f.Refs[n], part
			}
		}
	}
	return nil, 0
}

// CallAt returns the call whose name contains an offset, or nil.
func (f *File) CallAt(offset int) *Call {
	i := sort.Search(len(f.Calls), func(i int) bool { return f.Calls[i].At.Start > offset }) - 1
	if i < 0 || !f.Calls[i].At.Holds(offset) {
		return nil
	}
	return &f.Calls[i]
}

// Text returns the text of a range of the file.
func (f *File) Text(s Span) string { return string(f.Src[s.Start:s.End]) }

// String returns the reference up to one of its parts, which is included.
func (r *Ref) String(part int) string {
	var names []string
	for _, p := range r.Parts[:part+1] {
		names = append(names, p.Name)
	}
	return strings.Join(names, ".")
}

// Walk calls f for b and every block in it, outer ones first.
func (b *Block) Walk(f func(*Block)) {
	f(b)
	for _, n := range b.Blocks {
		n.Walk(f)
	}
}

// RefsIn returns the references that begin in a range of the file.
func (f *File) RefsIn(s Span) []*Ref {
	from := sort.Search(len(f.Refs), func(i int) bool { return f.Refs[i].Parts[0].At.Start >= s.Start })
	to := sort.Search(len(f.Refs), func(i int) bool { return f.Refs[i].Parts[0].At.Start > s.End })
	return f.Refs[from:to]
}
