// Package language defines the language as one table: every block and attribute, with its type, default and doc. The schema
// for decoding HCL bodies, the JSON Schema for editors, the reference in docs/ and completion are made from the table. What
// is not in the table is not in the language.
//
// The table defines what may be written where. What it means is the compiler's task. Entries that only a later version
// supports are in the table from the start, with that version in Since, and are rejected by name until then.
//
// There are no Go structs of the blocks. They would be a second definition of the language, and would lose the source
// ranges of what is decoded into them.
package language

import (
	"slices"

	"golang.org/x/mod/semver"

	"pipec.dev/pipec/schema/kinds"
)

// Version is the version of the language that this pipec compiles.
const Version = "v0.2"

// Kind defines what an attribute's expression may refer to, and when its value is known.
type Kind string

// The kinds.
const (
	Const   Kind = "const"   // var, local and functions: known when compiling
	Runtime Kind = "runtime" // also param, step and run: known when the step starts
	Own     Kind = "own"     // also input and output: known when the step's process starts
	Retry   Kind = "retry"   // var, local, input, attempt, exit_code and reason: known when an attempt has ended
	Ref     Kind = "ref"     // a bare reference to a declaration, or a string where Type is "string"
	Refs    Kind = "refs"    // a list of references to steps
	Type    Kind = "type"    // a type
	Types   Kind = "types"   // a map from names to types, or a list of names
)

// Block is a type of block.
type Block struct {
	Name       string
	Label      string   // what its one label is, such as "name"; "" if it has no label
	Labels     []string // the allowed labels; nil: any name
	Only       []string // the labels of the parents that it belongs to; nil: all
	AnyLabel   bool     // its label is any text, and not a name
	Optional   bool     // the only block of the type may have no label
	Single     bool     // at most one in its parent
	Attributes []*Attribute
	Blocks     []*Block
	Free       bool // its attributes have names that the user chooses: locals
	Doc        string
	Since      string
}

// Attribute is one attribute of a block.
type Attribute struct {
	Name     string
	Kind     Kind
	Each     bool   // besides what Kind allows, it may refer to each of a for_each that is known when compiling
	Type     string // the type of its value, as the language writes it; "" if Kind determines it
	Required bool
	Null     bool     // null is a value of it; elsewhere null leaves an optional attribute out
	Only     []string // the labels of the blocks that it belongs to; nil: all
	OneOf    []string // the allowed strings
	Format   string   // the format of a string: duration, quantity, cron, timezone, path; arguments: a list that is flattened
	Default  string   // as it would be written
	Short    *Short   // the value is a map of which each entry is short for a block; nil: it is a value
	Doc      string
	Since    string
}

// Omittable reports whether null leaves the attribute out.
func (a *Attribute) Omittable() bool { return !a.Required && !a.Null }

// Short is the block for which an entry NAME = VALUE of an attribute is short: Block "NAME" { Attribute = VALUE }.
type Short struct{ Block, Attribute string }

// For reports whether the attribute belongs to a block with this label.
func (a *Attribute) For(label string) bool { return a.Only == nil || slices.Contains(a.Only, label) }

// For reports whether the block belongs to a parent with this label.
func (b *Block) For(label string) bool { return b.Only == nil || slices.Contains(b.Only, label) }

// Bare reports whether a block of this type may have no label.
func (b *Block) Bare() bool { return b.Label == "" || b.Optional }

// Supported reports whether this version supports what came with version since.
func Supported(since string) bool { return since == "" || semver.Compare(since, Version) <= 0 }

// Attribute returns the attribute with a name, or nil.
func (b *Block) Attribute(name string) *Attribute {
	for _, a := range b.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Block returns the nested block type with a name, or nil.
func (b *Block) Block(name string) *Block {
	for _, n := range b.Blocks {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Names returns the names of all attributes and blocks that are allowed in b, attributes first.
func (b *Block) Names() []string {
	var out []string
	for _, a := range b.Attributes {
		out = append(out, a.Name)
	}
	for _, n := range b.Blocks {
		out = append(out, n.Name)
	}
	return out
}

// cluster is the version that added Kubernetes.
const cluster = "v0.2"

// Root returns the top of a file: all blocks, with pipec's own kinds of orchestrators and stores.
func Root() *Block { return RootWith(kinds.Builtin()) }

// RootWith returns the top of a file with the given kinds of orchestrators and stores.
func RootWith(set *kinds.Set) *Block {
	return &Block{Name: "", Blocks: []*Block{
		project(), variable(), locals(), stack(set), image(), code(), pipeline(), library(),
	}, Doc: "A project is a directory. pipec reads every `*.pipec.hcl` and `*.pipec.yaml` in it, in any order. Names may refer forward."}
}

func attr(name string, kind Kind, typ, doc string) *Attribute {
	return &Attribute{Name: name, Kind: kind, Type: typ, Doc: doc}
}

func (a *Attribute) required() *Attribute              { a.Required = true; return a }
func (a *Attribute) null() *Attribute                  { a.Null = true; return a }
func (a *Attribute) oneOf(values ...string) *Attribute { a.OneOf = values; return a }
func (a *Attribute) format(format string) *Attribute   { a.Format = format; return a }
func (a *Attribute) byDefault(value string) *Attribute { a.Default = value; return a }
func (a *Attribute) shortFor(block, attribute string) *Attribute {
	a.Short = &Short{Block: block, Attribute: attribute}
	return a
}
func (a *Attribute) since(version string) *Attribute { a.Since = version; return a }
func duration(name, byDefault, doc string) *Attribute {
	return attr(name, Const, "string", doc).format("duration").byDefault(byDefault)
}
