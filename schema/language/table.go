// Package language is the language as one table: every block and attribute, with its type, default and doc. From the
// table come the schema that HCL bodies are decoded by, the JSON Schema for editors, the reference in docs/, and
// completion. What is not in the table is not in the language.
//
// The table says what may be written where; what it means is compiler's work. Entries that a later version makes work
// stand in it from the start, with that version in Since.
package language

import (
	"slices"

	"golang.org/x/mod/semver"

	"pipec.dev/pipec/schema/kinds"
)

// Version is the version of the language that this pipec compiles.
const Version = "v0.2"

// Kind says what an attribute's expression may refer to, and when its value is known.
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
)

// Block is a type of block.
type Block struct {
	Name       string
	Label      string   // what its one label is, such as "name"; "" without a label
	Labels     []string // the labels that there are; nil: any name
	Single     bool     // at most one in its parent
	Attributes []*Attribute
	Blocks     []*Block
	Free       bool // its attributes have names of the user's own: locals
	Doc        string
	Since      string
}

// Attribute is one attribute of a block.
type Attribute struct {
	Name     string
	Kind     Kind
	Each     bool   // beside what Kind says, it may refer to each of a for_each that is known when compiling
	Type     string // the type of its value, as the language writes it; "" where Kind says all
	Required bool
	Only     []string // the labels of the blocks that it belongs to; nil: all
	OneOf    []string // the strings that it may be
	Format   string   // what a string holds: duration, quantity, cron, timezone, path
	Default  string   // as it would be written
	Doc      string
	Since    string
}

// For reports whether the attribute belongs to a block with this label.
func (a *Attribute) For(label string) bool { return a.Only == nil || slices.Contains(a.Only, label) }

// Supported says whether what came with a version works in this one.
func Supported(since string) bool { return since == "" || semver.Compare(since, Version) <= 0 }

// Attribute returns the attribute named, or nil.
func (b *Block) Attribute(name string) *Attribute {
	for _, a := range b.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Block returns the nested block type named, or nil.
func (b *Block) Block(name string) *Block {
	for _, n := range b.Blocks {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Names are the names of all attributes and blocks that can stand in b, attributes first.
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

// cluster is the version that knows of Kubernetes.
const cluster = "v0.2"

// Root returns the top of a file: all blocks, with pipec's own kinds of orchestrators and stores.
func Root() *Block { return RootWith(kinds.Builtin()) }

// RootWith returns the top of a file with the given kinds of orchestrators and stores.
func RootWith(set *kinds.Set) *Block {
	return &Block{Name: "", Blocks: []*Block{
		project(), variable(), locals(), stack(set), image(), code(), pipeline(), library(),
	}, Doc: "A project is a directory. pipec reads every `*.pipec.hcl` and `*.pipec.yaml` in it, in any order; names may refer forward."}
}

func attr(name string, kind Kind, typ, doc string) *Attribute {
	return &Attribute{Name: name, Kind: kind, Type: typ, Doc: doc}
}

func (a *Attribute) required() *Attribute              { a.Required = true; return a }
func (a *Attribute) oneOf(values ...string) *Attribute { a.OneOf = values; return a }
func (a *Attribute) format(format string) *Attribute   { a.Format = format; return a }
func (a *Attribute) byDefault(value string) *Attribute { a.Default = value; return a }
func (a *Attribute) since(version string) *Attribute   { a.Since = version; return a }
func duration(name, byDefault, doc string) *Attribute {
	return attr(name, Const, "string", doc).format("duration").byDefault(byDefault)
}
