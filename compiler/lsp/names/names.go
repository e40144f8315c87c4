// Package names finds, in the outlines of a project's files, the declarations and what each reference names. It knows the
// scope of names (params and steps in their pipeline, inputs and outputs in their step) and nothing of values. A name that
// is declared twice means its first declaration, as for the compiler.
package names

import (
	"maps"
	"slices"

	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/program"
)

// Kind is what a name is declared as: the first word of references to it.
type Kind string

// The kinds. A Result is an output of a pipeline.
const (
	Var      Kind = "var"
	Local    Kind = "local"
	Stack    Kind = "stack"
	Image    Kind = "image"
	Code     Kind = "code"
	Pipeline Kind = "pipeline"
	Library  Kind = "library"
	Param    Kind = "param"
	Step     Kind = "step"
	Input    Kind = "input"
	Output   Kind = "output"
	Result   Kind = "result"
)

// File is a file of the project by its path.
type File struct {
	Path string
	*outline.File
}

// Symbol is a declaration.
type Symbol struct {
	Kind  Kind
	Name  string
	File  *File
	At    outline.Span   // of its name
	Block *outline.Block // that declares it; of a local, the locals block
	Attr  *outline.Attr  // of a local
}

type scope map[Kind]map[string]*Symbol

// Index is what a project declares.
type Index struct {
	Files []*File // by path
	top   scope
	in    map[*outline.Block]scope // of pipelines and steps
	at    map[place]*Symbol
}

type place struct {
	file  *File
	start int
}

var topKinds = map[string]Kind{
	"variable": Var, "stack": Stack, "image": Image, "code": Code, "pipeline": Pipeline, "library": Library,
}

// New finds the declarations of files, which are sorted by path.
func New(files []*File) *Index {
	x := &Index{Files: files, top: scope{}, in: map[*outline.Block]scope{}, at: map[place]*Symbol{}}
	for _, f := range files {
		for _, b := range f.Root.Blocks {
			switch kind, ok := topKinds[b.Type]; {
			case b.Type == "locals":
				for _, a := range b.Attrs {
					x.declare(x.top, &Symbol{Local, a.Name, f, a.At, b, a})
				}
			case ok:
				x.block(x.top, kind, f, b)
			}
			if b.Type == "pipeline" {
				x.pipeline(f, b)
			}
		}
	}
	return x
}

func (x *Index) pipeline(f *File, p *outline.Block) {
	s := scope{}
	x.in[p] = s
	x.entries(s, f, p, map[string]Kind{"output": Result})
	for _, b := range p.Blocks {
		switch b.Type {
		case "param":
			x.block(s, Param, f, b)
		case "output":
			x.block(s, Result, f, b)
		case "step", "finally":
			x.block(s, Step, f, b)
			own := scope{}
			x.in[b] = own
			x.entries(own, f, b, map[string]Kind{"input": Input, "output": Output})
			for _, n := range b.Blocks {
				switch n.Type {
				case "input":
					x.block(own, Input, f, n)
				case "output":
					x.block(own, Output, f, n)
				case "approval":
					approval(own, f, n)
				}
			}
		}
	}
}

// entries declares the entries of the attributes of a block that are short for blocks.
func (x *Index) entries(s scope, f *File, b *outline.Block, kinds map[string]Kind) {
	for _, a := range b.Attrs {
		for _, n := range f.Entries(a) {
			x.block(s, kinds[n.Type], f, n)
		}
	}
}

func (x *Index) block(s scope, kind Kind, f *File, b *outline.Block) {
	if len(b.Labels) > 0 {
		x.declare(s, &Symbol{Kind: kind, Name: b.Label(), File: f, At: b.Labels[0].At, Block: b})
	}
}

// approval declares the value that an approver sets. It is declared by `type` only, so it can be found only from
// references.
func approval(own scope, f *File, b *outline.Block) {
	a := b.Attr("type")
	if a == nil || own[Output][program.ApprovalOutput] != nil {
		return
	}
	if own[Output] == nil {
		own[Output] = map[string]*Symbol{}
	}
	own[Output][program.ApprovalOutput] = &Symbol{Kind: Output, Name: program.ApprovalOutput, File: f, At: a.At, Block: b}
}

func (x *Index) declare(s scope, sym *Symbol) {
	if s[sym.Kind] == nil {
		s[sym.Kind] = map[string]*Symbol{}
	}
	if s[sym.Kind][sym.Name] == nil {
		s[sym.Kind][sym.Name] = sym
	}
	x.at[place{sym.File, sym.At.Start}] = sym
}

// scopeOf returns the scope of names of a kind that are used in block b; nil if they have no meaning there.
func (x *Index) scopeOf(kind Kind, b *outline.Block) scope {
	switch kind {
	case Param, Step, Result:
		return x.in[b.Inside("pipeline")]
	case Input, Output:
		return x.in[b.Inside("step", "finally")]
	}
	return x.top
}

// Lookup returns the declaration of a name that is used in block b.
func (x *Index) Lookup(kind Kind, name string, b *outline.Block) *Symbol {
	return x.scopeOf(kind, b)[kind][name]
}

// Declared returns the names of a kind that are in scope in block b, sorted.
func (x *Index) Declared(kind Kind, b *outline.Block) []*Symbol {
	return sorted(x.scopeOf(kind, b)[kind])
}

// Outputs returns the outputs of a step, by name: its own, or those of the pipeline that it calls.
func (x *Index) Outputs(step *Symbol) []*Symbol {
	if own := x.in[step.Block][Output]; len(own) > 0 {
		return sorted(own)
	}
	return sorted(x.in[x.callee(step)][Result])
}

// Params returns the params of a pipeline, by name.
func (x *Index) Params(pipeline *outline.Block) []*Symbol { return sorted(x.in[pipeline][Param]) }

// callee returns the pipeline that a step calls, or nil.
func (x *Index) callee(step *Symbol) *outline.Block {
	a := step.Block.Attr("pipeline")
	if a == nil {
		return nil
	}
	for _, r := range step.File.RefsIn(a.Value) {
		if s := x.Resolve(r, 1); s != nil && s.Kind == Pipeline {
			return s.Block
		}
	}
	return nil
}

// Callee returns the pipeline that a step's block calls, or nil.
func (x *Index) Callee(f *File, step *outline.Block) *outline.Block {
	return x.callee(&Symbol{File: f, Block: step})
}

func sorted(m map[string]*Symbol) []*Symbol {
	out := make([]*Symbol, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[name])
	}
	return out
}

// Resolve returns what the part of a reference names. The first part means the same as the second: step and x of step.x.
func (x *Index) Resolve(r *outline.Ref, part int) *Symbol {
	if len(r.Parts) < 2 {
		return nil
	}
	kind := Kind(r.Parts[0].Name)
	if kind == Result || kind == Stack {
		return nil
	}
	s := x.Lookup(kind, r.Parts[1].Name, r.Block)
	switch {
	case s == nil || part < 2:
		return s
	case kind == Step && part == 2:
		if out := x.in[s.Block][Output][r.Parts[2].Name]; out != nil {
			return out
		}
		return x.in[x.callee(s)][Result][r.Parts[2].Name]
	}
	return nil
}

// Declares returns the symbol whose name contains an offset of a file, or nil.
func (x *Index) Declares(f *File, offset int) *Symbol {
	if b := f.HeaderAt(offset); b != nil && len(b.Labels) > 0 && b.Labels[0].At.Holds(offset) {
		return x.at[place{f, b.Labels[0].At.Start}]
	}
	a := f.AttrAt(offset)
	switch {
	case a == nil:
	case a.At.Holds(offset):
		return x.at[place{f, a.At.Start}]
	case a.Def != nil && a.Def.Short != nil:
		for _, key := range f.Keys(a.Value) {
			if key.Holds(offset) {
				return x.at[place{f, key.Start}]
			}
		}
	}
	return nil
}

// Use is a place where a symbol is named.
type Use struct {
	File *File
	At   outline.Span
}

// Uses returns all references to a symbol, by file and position, without its declaration. It calls stop now and then, and
// returns early if the result is no longer needed.
func (x *Index) Uses(s *Symbol, stop func() bool) []Use {
	var out []Use
	for _, f := range x.Files {
		for i, r := range f.Refs {
			if i%1024 == 0 && stop() {
				return nil
			}
			for _, part := range []int{1, 2} {
				if part < len(r.Parts) && r.Parts[part].Name == s.Name && x.Resolve(r, part) == s {
					out = append(out, Use{f, r.Parts[part].At})
				}
			}
		}
	}
	return out
}
