// Package library reads the libraries of a project. The directory of each `library` block is read into an evaluate.Project of
// its own, with the values that the block sets for its variables. The package reports directories that are not libraries.
// What a library's pipelines mean is the task of package check, as it is for the project's.
//
// A directory is read once. It is evaluated once for each set of values, however many blocks name it.
package library

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// Max is how many libraries a project may have, including those of its libraries. The same directory with other values
// counts again.
const Max = 1000

// Options configure Read.
type Options struct {
	Root    *language.Block   // the table of the language
	Sources map[string][]byte // the project's sources; those of libraries are added
	Unsaved map[string][]byte // texts of an editor that replace files, by path relative to the project's directory
	Reading func(dir string)  // is called with each directory before it is read; may be nil
}

// Read reads the libraries of w and their libraries, and sets each in the Imports of the project whose block names it. It
// returns all of them; each follows those that it imports. Faults in the files of a library, and in the values that it
// receives, are in the library's own Diags. Faults in a block of the project are in w's.
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
	dirs     map[string]*directory // by real path
	projects map[string]*evaluate.Project
	path     []frame // the directories that are being read, outermost first
	out      []*evaluate.Project
	full     bool
}

// frame is a directory whose libraries are being read.
type frame struct {
	real, shown string
	block       *decode.Block // the block that imports the next directory on the path
}

// libraries reads the directories that the blocks of a project name.
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
			w.Diags.Add(diag.New("too-large", b.DefRange, "the project has more than %d libraries, including those of its libraries", Max).
				WithDetail("A library counts again for each different set of `vars`."))
		}
		r.full = true
		return nil
	}
	blocks := d.blocks
	if d.evaluated { // with other values, null may leave other attributes out
		blocks = decode.Copy(blocks)
	}
	d.evaluated = true
	lib := evaluate.New(d.dir, blocks, r.o.Sources, &diag.List{})
	lib.Diags.AddList(&d.diags)
	r.projects[key] = lib
	lib.Import(d.root, b, values)
	stacks(lib, b)
	r.libraries(lib, frame{real: d.real, shown: d.root})
	r.out = append(r.out, lib)
	return lib
}

// stacks reports the stacks of a library. Only the importer decides where pipelines run.
func stacks(lib *evaluate.Project, b *decode.Block) {
	for _, name := range evaluate.Names(lib.Stacks) {
		lib.Diags.Add(diag.New("out-of-place", lib.Stacks[name].DefRange, "a library can't declare stacks: its pipelines run on the stack of the project that calls them").
			WithRelated(b.DefRange, "the directory is imported as a library here").
			WithSuggestion("move the stack, and what only it needs, to a directory of its own"))
	}
}

// values evaluates the values that a block sets for variables.
func values(w *evaluate.Project, b *decode.Block) (map[string]cty.Value, bool) {
	e := b.Attr("vars")
	if e == nil {
		return nil, !b.Tried("vars")
	}
	v, ok := w.Constants.Written(e)
	if !ok {
		return nil, false
	}
	if v.IsNull() {
		return nil, true
	}
	v, part := types.Spread(v)
	v, marks := v.Unmark()
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
		w.Diags.Add(diag.New("type-mismatch", e.Range(), "`vars` must be an object with the values of variables: vars = { NAME = VALUE }"))
		return nil, false
	}
	if len(marks) > 0 { // messages show the names where they are wrong, so that they can't be secret
		w.Diags.Add(diag.New("sensitive", e.Range(), "the names in `vars` can't come from a sensitive variable").
			WithSuggestion("write the names as text, and use sensitive variables only as values: vars = { NAME = var.NAME }"))
		return nil, false
	}
	values := v.AsValueMap()
	for name := range values {
		if part != nil {
			values[name] = part(values[name])
		}
	}
	return values, true
}

// ring reports a directory that imports itself, directly or indirectly, at the block that comes first in the source.
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
	d.Summary = "libraries import each other in a cycle: " + strings.Join(append(names, names[0]), " → ")
	if len(ring) == 1 {
		d.Summary = names[0] + " imports itself as a library"
	}
	w.Diags.Add(d)
	return true
}
