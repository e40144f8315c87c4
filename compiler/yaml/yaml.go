// Package yaml reads sources in YAML: bytes to the same syntax trees that HCL's parser makes, with YAML's own places. It
// lays the table of schema/language over the document, because that says what is a block, what an expression and what a
// bare reference; whether names exist and types fit is not looked at.
//
// A document is a project on HCL's JSON information model: a key is an attribute or a type of block, a block with a
// label stands under its label, and text is a template. The library parses; what is here finds the place of each
// character of a scalar, so that an expression in the middle of a block of text is told where it stands.
package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// maxAliased bounds what aliases and merge keys stand for in one file: each is read again where it is used.
const maxAliased = 100_000

// Source is one source file, read.
type Source struct {
	Body     *hclsyntax.Body
	Told     []diag.Diagnostic            // of values in a form that their name can't have: the rest of the file can be looked at
	Tried    map[*hclsyntax.Body][]string // the names of those values, by the body that they are missing from
	Suspects []Suspect
}

// Suspect is text that looks like a reference and is none.
type Suspect struct {
	Traversal      hcl.Traversal
	Range          hcl.Range
	Pipeline, Step string // the labels around it
	Quoted         bool
	Text           string
	Kind           language.Kind // of the attribute
}

// Parse reads a source as blocks of the table root. It returns nil if the source can't be read; diags says why. src is
// UTF-8.
func Parse(name string, src []byte, root *language.Block, diags *diag.List) *Source {
	tree := Read(name, src, root, diags)
	if tree == nil {
		return nil
	}
	out := &Source{Tried: map[*hclsyntax.Body][]string{}}
	s := syntax{places: tree.places, out: out, diags: diags}
	out.Body = s.body(tree.Root)
	out.Told = tree.told
	return out
}

// Read reads a source into a tree of the table's blocks and attributes. nil: it is not YAML, and why is told.
func Read(name string, src []byte, root *language.Block, diags *diag.List) *Tree {
	if len(src) > expr.MaxFile {
		at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		diags.Add(diag.New("too-large", at, "the file has %d bytes, and the limit is %d", len(src), expr.MaxFile))
		return nil
	}
	p := newPlaces(name, src)
	if d := p.gate(); d != nil {
		diags.Add(*d)
		return nil
	}
	node, d := p.document()
	if d != nil {
		diags.Add(*d)
		return nil
	}
	r := reader{places: p, tree: &Tree{places: p}}
	body := &Body{Def: root, End: len(src)}
	if node != nil {
		r.body(body, node, 0)
	}
	r.tree.Root = body
	return r.tree
}

// document parses the one document of a file. nil without a fault: the file is empty.
func (p *places) document() (root *lib.Node, fault *diag.Diagnostic) {
	defer func() {
		if v := recover(); v != nil { // a fault of the library's is not the user's
			d := diag.New("syntax", p.at(0, 0), "this file can't be read as YAML: %v", v)
			root, fault = nil, &d
		}
	}()
	loader, err := lib.NewLoader(bytes.NewReader(p.src))
	if err != nil {
		d := p.unreadable(err)
		return nil, &d
	}
	for {
		var n lib.Node
		switch err := loader.Load(&n); {
		case errors.Is(err, io.EOF):
			return root, nil
		case err != nil:
			d := p.unreadable(err)
			return nil, &d
		}
		if n.Kind != lib.DocumentNode || len(n.Content) != 1 {
			continue
		}
		if root == nil {
			root = n.Content[0]
			continue
		}
		at := p.offset(n.Line, n.Column)
		d := diag.New("syntax", p.at(at, p.endOfLine(at)), "a second document starts here").
			WithDetail("A file is one document. Several files are read as one project.").
			WithSuggestion("write it into a file of its own, or take out the ---")
		return nil, &d
	}
}

func (p *places) endOfLine(i int) int {
	for i < len(p.src) && breakAt(p.src, i) == 0 {
		i++
	}
	return i
}

// gate refuses what is nested too deep, before the library's parser recurses into it.
func (p *places) gate() *diag.Diagnostic {
	depth, quote := 0, byte(0)
	for i := 0; i < len(p.src); i++ {
		c := p.src[i]
		switch {
		case quote != 0:
			if c == quote || c == '\n' { // text over several lines is no matter here: its brackets are counted too
				quote = 0
			}
		case (c == '"' || c == '\'') && i > 0 && bytes.IndexByte([]byte(" [{,:\t"), p.src[i-1]) >= 0:
			quote = c
		case c == '[' || c == '{':
			if depth++; depth > expr.MaxNesting {
				d := tooDeep(p.at(i, i+1))
				return &d
			}
		case (c == ']' || c == '}') && depth > 0:
			depth--
		case c == '\n':
			if i+1 < len(p.src) && !blank(p.src[i+1]) && p.src[i+1] != ']' && p.src[i+1] != '}' {
				depth = 0 // a key at the start of a line: what was open before it was text
			}
			indent := 0
			for i+1+indent < len(p.src) && p.src[i+1+indent] == '-' && i+2+indent < len(p.src) && blank(p.src[i+2+indent]) {
				if indent += 2; indent > 2*expr.MaxNesting {
					d := tooDeep(p.at(i+1, i+2))
					return &d
				}
			}
		}
	}
	return nil
}

func tooDeep(at hcl.Range) diag.Diagnostic {
	return diag.New("too-large", at, "%s", fmt.Sprintf("nested more than %d deep", expr.MaxNesting))
}
