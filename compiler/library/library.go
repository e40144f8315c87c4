// Package library reads the libraries of a project: the directory that each `library` block names becomes a world of its
// own, with the values that the block gives to its variables. It tells what keeps a directory from being one; what its
// pipelines mean is check's work, as for those of the project.
//
// A directory is read once, and makes one world for each set of values, however many blocks name it.
package library

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// Max is how many libraries a project may have, those of its libraries included: each with other values is another one.
const Max = 1000

// Options say how to read.
type Options struct {
	Sources map[string][]byte // of the project; those of libraries are put there too
	Unsaved map[string][]byte // texts that stand for files, by their paths relative to the project's directory
	Reading func(dir string)  // is told of each directory before it is read; may be nil
}

// Read makes worlds of the libraries of w and of their libraries, and puts each where its block is. It returns all,
// each after those that it imports itself. What is wrong in the files of a library is in its own Diags, with what is
// wrong in the values that it is given; what is wrong in a block of the project is in those of w.
func Read(w *evaluate.Project, o Options) []*evaluate.Project {
	if len(w.Libraries) == 0 {
		return nil
	}
	r := &reader{o: o, top: w.Dir, dirs: map[string]*directory{}, projects: map[string]*evaluate.Project{}}
	r.libraries(w, frame{real: r.real(w.Dir), shown: "the project"})
	return r.out
}

type reader struct {
	o        Options
	top      string                // the project's directory
	dirs     map[string]*directory // by their real paths
	projects map[string]*evaluate.Project
	path     []frame // the directories that are being read, outermost first
	out      []*evaluate.Project
	full     bool
}

// frame is a directory whose libraries are being read.
type frame struct {
	real, shown string
	block       *decode.Block // by which the next one on the path is imported
}

// libraries reads what the blocks of a world name.
func (r *reader) libraries(w *evaluate.Project, in frame) {
	r.path = append(r.path, in)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	for _, name := range evaluate.Names(w.Libraries) {
		b := w.Libraries[name]
		r.path[len(r.path)-1].block = b
		if lib := r.library(w, b); lib != nil {
			w.Imports[name] = lib
		}
	}
}

func (r *reader) library(w *evaluate.Project, b *decode.Block) *evaluate.Project {
	values, ok := values(w, b)
	d := r.directory(w, b)
	if d == nil || !ok {
		return nil
	}
	if r.ring(w, d.real) {
		return nil
	}
	key := d.real + "\x00" + identity(values)
	if lib := r.projects[key]; lib != nil {
		return lib
	}
	if len(r.projects) >= Max {
		if !r.full {
			w.Diags.Add(diag.New("too-large", b.DefRange, "the project has more than %d libraries, with those of its libraries", Max).
				WithDetail("A library that is given other values counts as another one."))
		}
		r.full = true
		return nil
	}
	lib := evaluate.New(d.dir, d.blocks, r.o.Sources, &diag.List{})
	lib.Diags.AddList(&d.diags)
	r.projects[key] = lib
	lib.Import(d.root, b, values)
	stacks(lib, b)
	r.libraries(lib, frame{real: d.real, shown: d.root})
	r.out = append(r.out, lib)
	return lib
}

// stacks tells the stacks of a library: where things run is for who imports it to say.
func stacks(lib *evaluate.Project, b *decode.Block) {
	for _, name := range evaluate.Names(lib.Stacks) {
		lib.Diags.Add(diag.New("out-of-place", lib.Stacks[name].DefRange, "a library has no stacks: its pipelines run where those that call them do").
			WithRelated(b.DefRange, "the directory is made a library here").
			WithSuggestion("move the stack to a directory of its own, with what only it needs"))
	}
}

// values evaluates what a block gives to variables.
func values(w *evaluate.Project, b *decode.Block) (map[string]cty.Value, bool) {
	e := b.Attr("vars")
	if e == nil {
		return nil, !b.Tried("vars")
	}
	v, ok := w.Const(e)
	if !ok {
		return nil, false
	}
	v, marks := v.Unmark()
	if t := v.Type(); v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		w.Diags.Add(diag.New("type-mismatch", e.Range(), "`vars` is an object of the values of variables: vars = { NAME = VALUE }"))
		return nil, false
	}
	if len(marks) > 0 { // what names are told where they are wrong
		w.Diags.Add(diag.New("sensitive", e.Range(), "the names in `vars` would come from a sensitive variable").
			WithSuggestion("write the names, and what is sensitive as their values: vars = { NAME = var.NAME }"))
		return nil, false
	}
	return v.AsValueMap(), true
}

// ring tells a directory that is on the path to itself, at the block that stands first in the source.
func (r *reader) ring(w *evaluate.Project, real string) bool {
	from := -1
	for i := range r.path {
		if r.path[i].real == real {
			from = i
		}
	}
	if from < 0 {
		return false
	}
	ring, first := r.path[from:], 0
	for i := range ring {
		if diag.Before(ring[i].block.DefRange, ring[first].block.DefRange) {
			first = i
		}
	}
	names := make([]string, 0, len(ring)+1)
	d := diag.New("cycle", ring[first].block.Attr("source").Range(), "")
	for i := range ring {
		one := ring[(first+i)%len(ring)]
		names = append(names, one.shown)
		if i > 0 {
			d = d.WithRelated(one.block.DefRange, "%s imports %s", one.shown, ring[(first+i+1)%len(ring)].shown)
		}
	}
	d.Summary = "libraries import each other in a ring: " + strings.Join(append(names, names[0]), " → ")
	if len(ring) == 1 {
		d.Summary = names[0] + " imports itself as a library"
	}
	w.Diags.Add(d)
	return true
}
