package lsp

import (
	"context"
	"fmt"
	"slices"

	"github.com/sourcegraph/jsonrpc2"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/lsp/names"
	"pipec.dev/pipec/compiler/lsp/outline"
)

// what are the kinds that can be renamed, with their names in messages. The names of inputs and outputs are read by the
// step's own process, and a stack's by people and files, so they can't be changed in the project alone.
var what = map[names.Kind]string{
	names.Var: "variable", names.Local: "local", names.Image: "image", names.Code: "code", names.Pipeline: "pipeline",
	names.Param: "param", names.Step: "step",
}

func failed(format string, args ...any) error {
	return &jsonrpc2.Error{Code: codeFailed, Message: fmt.Sprintf(format, args...)}
}

// renamed finds the symbol to rename, and the range at the cursor.
func (v *view) renamed(p position) (*names.Symbol, outline.Span, error) {
	offset := v.text.offset(p)
	at := outline.Span{}
	sym := v.index.Declares(v.File, offset)
	if sym != nil {
		at = sym.At
	} else if r, part := v.RefAt(offset); r != nil && part > 0 {
		sym, at = v.index.Resolve(r, part), r.Parts[part].At
	}
	switch {
	case sym == nil:
		return nil, at, failed("there is no name here that can be renamed")
	case what[sym.Kind] == "" && (sym.Kind == names.Input || sym.Kind == names.Output):
		return nil, at, failed("the name of an %s is read by the step's own process: it can't be renamed only here", sym.Kind)
	case what[sym.Kind] == "":
		return nil, at, failed("%q is used outside of the project's files: it can't be renamed only here", sym.Name)
	}
	return sym, at, nil
}

func (s *server) prepareRename(p positionParams) (answer, error) {
	return s.in(p.TextDocument, func(_ context.Context, v *view) (any, error) {
		sym, at, err := v.renamed(p.Position)
		if err != nil {
			return nil, err
		}
		return prepared{v.text.span(at.Start, at.End), sym.Name}, nil
	})
}

// rename changes a name where it is declared and in all references to it, in all files of the project.
func (s *server) rename(p renameParams) (answer, error) {
	return s.in(p.TextDocument, func(ctx context.Context, v *view) (any, error) {
		sym, _, err := v.renamed(p.Position)
		if err != nil {
			return nil, err
		}
		if !decode.ValidName(p.NewName) {
			return nil, failed("%q is not a valid name for a %s. %s", p.NewName, what[sym.Kind], decode.NameRule)
		}
		if other := v.index.Lookup(sym.Kind, p.NewName, sym.Block); other != nil && other != sym {
			return nil, failed("the name %q already belongs to a %s in %s on line %d", p.NewName, other.Block.Type,
				other.File.Path, v.sources[other.File.Path].text.position(other.At.Start).Line+1)
		}
		uses := append(v.index.Uses(sym, func() bool { return ctx.Err() != nil }), names.Use{File: sym.File, At: sym.At})
		uses = append(uses, v.arguments(sym)...)
		edit := workspaceEdit{map[string][]textEdit{}}
		if p.NewName == sym.Name {
			return edit, nil
		}
		slices.SortFunc(uses, func(a, b names.Use) int { return a.At.Start - b.At.Start })
		for _, u := range uses {
			at := v.location(u.File, u.At)
			edit.Changes[at.URI] = append(edit.Changes[at.URI], textEdit{at.Range, p.NewName})
		}
		return edit, nil
	})
}

// keys returns where a name is a key of an attribute that is an object.
func keys(f *names.File, a *outline.Attr, name string) []names.Use {
	var out []names.Use
	if a == nil {
		return nil
	}
	for _, at := range f.Keys(a.Value) {
		if f.Text(at) == name {
			out = append(out, names.Use{File: f, At: at})
		}
	}
	return out
}

// arguments returns where a param is named to set it: in the schedule of its pipeline, and in the inputs and `carry` of
// steps that call it.
func (v *view) arguments(sym *names.Symbol) []names.Use {
	if sym.Kind != names.Param {
		return nil
	}
	pipeline := sym.Block.Inside("pipeline")
	var out []names.Use
	for _, b := range pipeline.Blocks {
		if b.Type != "schedule" {
			continue
		}
		out = append(out, keys(sym.File, b.Attr("params"), sym.Name)...)
	}
	for _, f := range v.index.Files {
		f.Root.Walk(func(b *outline.Block) {
			if b.Type == "repeat" && b.Parent.Attr("pipeline") != nil && v.index.Callee(f, b.Parent) == pipeline {
				out = append(out, keys(f, b.Attr("carry"), sym.Name)...)
			}
			if b.Attr("inputs") != nil && b.Attr("pipeline") != nil && v.index.Callee(f, b) == pipeline {
				out = append(out, keys(f, b.Attr("inputs"), sym.Name)...)
			}
			if b.Type != "input" || b.Label() != sym.Name || b.Parent.Attr("pipeline") == nil {
				return
			}
			if v.index.Callee(f, b.Parent) == pipeline {
				out = append(out, names.Use{File: f, At: b.Labels[0].At})
			}
		})
	}
	return out
}
