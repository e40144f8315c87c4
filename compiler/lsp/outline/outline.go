// Package outline finds the shape of a source file that may be half written: its blocks, attributes, references and
// calls, each with its place. It reads tokens and not the syntax tree, because HCL's parser drops what it can't make
// sense of, and what is being typed never makes sense yet. Where a file does parse, both see the same (a test holds
// that). Of a file in YAML it is made of the nodes of package sketch, and of the tokens of its expressions.
//
// It says nothing of what is right or wrong: that is the compiler's work.
package outline

import (
	"sort"
	"strings"

	"pipec.dev/pipec/schema/language"
)

// Span is a stretch of bytes: from Start up to but without End.
type Span struct{ Start, End int }

// Holds says whether an offset is in the span, or just behind it: where a cursor that touches it is.
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

// YAML says whether the file is in YAML.
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

// Ref is a reference as it stands in an expression, such as step.a.x: a name of `for` is none.
type Ref struct {
	Block *Block
	Attr  *Attr
	Parts []Part
}

// Part is one name of a reference. The last one is empty where a dot stands alone.
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

// Label is the first label's text, or "".
func (b *Block) Label() string {
	if len(b.Labels) == 0 {
		return ""
	}
	return b.Labels[0].Text
}

// Attr is the attribute of a name, or nil.
func (b *Block) Attr(name string) *Attr {
	for _, a := range b.Attrs {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Inside is the nearest block around b, or b itself, of one of these types; nil where there is none.
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

// BlockAt is the innermost block whose body holds an offset.
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

// HeaderAt is the block whose type or labels hold an offset, or nil.
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

// AttrAt is the attribute whose name or value holds an offset, or nil.
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

// RefAt is the reference that holds an offset and the number of the part that does; nil where there is none.
func (f *File) RefAt(offset int) (*Ref, int) {
	i := sort.Search(len(f.Refs), func(i int) bool { return f.Refs[i].Parts[0].At.Start > offset }) - 1
	for n := i; n >= 0 && n > i-8; n-- { // a reference may stand in the index of another
		for part, p := range f.Refs[n].Parts {
			if p.At.Holds(offset) {
				return f.Refs[n], part
			}
		}
	}
	return nil, 0
}

// CallAt is the call whose name holds an offset, or nil.
func (f *File) CallAt(offset int) *Call {
	i := sort.Search(len(f.Calls), func(i int) bool { return f.Calls[i].At.Start > offset }) - 1
	if i < 0 || !f.Calls[i].At.Holds(offset) {
		return nil
	}
	return &f.Calls[i]
}

// Text is a stretch of the file.
func (f *File) Text(s Span) string { return string(f.Src[s.Start:s.End]) }

// String is the reference up to and with one of its parts.
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

// RefsIn are the references that begin in a stretch of the file.
func (f *File) RefsIn(s Span) []*Ref {
	from := sort.Search(len(f.Refs), func(i int) bool { return f.Refs[i].Parts[0].At.Start >= s.Start })
	to := sort.Search(len(f.Refs), func(i int) bool { return f.Refs[i].Parts[0].At.Start > s.End })
	return f.Refs[from:to]
}
