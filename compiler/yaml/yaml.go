// Package yaml reads sources in YAML into the same syntax trees as HCL's parser, with positions in the YAML file. It
// applies the table of schema/language to the document, because the table defines what is a block, an expression or a bare
// reference. Whether names exist and types fit is not checked here.
//
// A document is a project in HCL's JSON information model: a key is an attribute or a type of block, a block with a label
// is under its label, and text is a template. A library parses the document. This package finds the position of each
// character of a scalar, so that a fault in an expression inside of a block of text is reported at its own position.
package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// maxAliased limits how many values aliases and merge keys repeat in one file. Each is read again wherever it is used.
const maxAliased = 100_000

// Source is one source file that has been read.
type Source struct {
	Body     *hclsyntax.Body
	Told     []diag.Diagnostic            // for values in a form that their name can't have; the rest of the file can be checked
	Tried    map[*hclsyntax.Body][]string // the names of those values, by the body in which they are missing
	Suspects []Suspect
}

// Suspect is text that looks like a reference but isn't one.
type Suspect struct {
	Traversal      hcl.Traversal
	Range          hcl.Range
	Pipeline, Step string // the labels around it
	Quoted         bool
	Text           string
	Kind           language.Kind // of the attribute
}

// Parse reads a source as blocks of the table root. It reports a source that can't be read, and returns nil. src is UTF-8.
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

// Read reads a source into a tree of the table's blocks and attributes. It reports a source that is not YAML, and returns
// nil.
func Read(name string, src []byte, root *language.Block, diags *diag.List) *Tree {
	if len(src) > expr.MaxFile {
		at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		diags.Add(diag.New("too-large", at, "the file has %d bytes, but the limit is %d", len(src), expr.MaxFile))
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

// version matches the directive of a document of YAML 1.2 or later, up to the last digit.
var version = regexp.MustCompile(`^((?:(?:#.*|[ \t]*|%.*)\n)*%YAML[ \t]+1\.)[2-9](?:[ \t]|\n)`)

// directive returns a source that the library accepts: it reads YAML 1.2, and rejects the directive for it.
func directive(src []byte) []byte {
	m := version.FindSubmatchIndex(src)
	if m == nil {
		return src
	}
	out := bytes.Clone(src)
	out[m[3]] = '1'
	return out
}

// document parses the one document of a file. It returns nil without a fault if the file is empty.
func (p *places) document() (root *lib.Node, fault *diag.Diagnostic) {
	defer func() {
		if v := recover(); v != nil { // a fault of the library is not the user's
			d := diag.New("syntax", p.at(0, 0), "this file can't be read as YAML: %v", v)
			root, fault = nil, &d
		}
	}()
	src, hidden := hide(directive(p.src))
	loader, err := lib.NewLoader(bytes.NewReader(src))
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
			hidden.restore(root)
			continue
		}
		at := p.offset(n.Line, n.Column)
		d := diag.New("syntax", p.at(at, p.endOfLine(at)), "a second document starts here").
			WithDetail("A file is one document. Several files are read as one project.").
			WithSuggestion("move it to a file of its own, or remove the ---")
		return nil, &d
	}
}

func (p *places) endOfLine(i int) int {
	for i < len(p.src) && breakAt(p.src, i) == 0 {
		i++
	}
	return i
}

// gate rejects a source that is nested too deep, before the library's parser recurses into it.
func (p *places) gate() *diag.Diagnostic {
	depth, quote := 0, byte(0)
	for i := 0; i < len(p.src); i++ {
		c := p.src[i]
		switch {
		case quote != 0:
			if c == quote || c == '\n' { // text over several lines doesn't matter here: its brackets are counted too
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
				depth = 0 // there is a key at the start of a line, so the open bracket before it was text
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
