package store_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/store"
)

// Each of these stores has one optional interface.
type (
	movable   struct{ store.Store }
	foldered  struct{ store.Store }
	checkable struct{ store.Store }
	removing  struct{ store.Store }
)

func (removing) Remove(context.Context, string) error { return nil }

func (movable) Move(context.Context, string, string, store.Mode) error { return nil }
func (foldered) Folders(context.Context, string) ([]string, error)     { return []string{"own"}, nil }
func (checkable) Check(context.Context) []store.Finding                { return nil }

// reads is a store whose readers have each optional interface.
type preparing struct{ store.Store }

func (preparing) Prepare(string) {}

type reads struct{ store.Store }

type allReader struct{ io.ReadCloser }

func (allReader) Resumable()                                     {}
func (allReader) Tee(store.TeeFile)                              {}
func (allReader) WriteTo(io.Writer) (int64, error)               { return 0, nil }
func (reads) Get(context.Context, string) (io.ReadCloser, error) { return allReader{}, nil }

// TestOptional: no optional interface is lost behind a wrapper. An interface that is new in the package, and not in this
// test, fails it.
func TestOptional(t *testing.T) {
	base := &away{fail: func() error { return nil }}
	wrappers := map[string]func(store.Store) store.Store{
		"retrying": func(s store.Store) store.Store { return store.Retrying(s, time.Minute, nil) },
		"retrying twice": func(s store.Store) store.Store {
			return store.Retrying(store.Retrying(s, time.Minute, nil), time.Minute, nil)
		},
	}
	has := map[string]func(wrap func(store.Store) store.Store) bool{
		"Mover": func(wrap func(store.Store) store.Store) bool {
			_, ok := store.As[store.Mover](wrap(movable{base}))
			return ok
		},
		"Folders": func(wrap func(store.Store) store.Store) bool {
			names, err := store.FoldersIn(t.Context(), wrap(foldered{base}), "a/")
			return err == nil && slices.Equal(names, []string{"own"})
		},
		"Preparer": func(wrap func(store.Store) store.Store) bool {
			_, ok := store.As[store.Preparer](wrap(preparing{base}))
			return ok
		},
		"Checker": func(wrap func(store.Store) store.Store) bool {
			_, ok := store.As[store.Checker](wrap(checkable{base}))
			return ok
		},
		"Remover": func(wrap func(store.Store) store.Store) bool {
			return store.Remove(t.Context(), wrap(removing{base}), "a") == nil
		},
		"ResumableReader": func(wrap func(store.Store) store.Store) bool {
			r, _ := wrap(reads{base}).Get(t.Context(), "k")
			_, ok := r.(store.ResumableReader)
			return ok
		},
		"TeeReader": func(wrap func(store.Store) store.Store) bool {
			r, _ := wrap(reads{base}).Get(t.Context(), "k")
			_, ok := r.(store.TeeReader)
			return ok
		},
	}
	for _, name := range interfaces(t) {
		if name != "Store" && name != "Wrapper" && name != "TeeFile" && has[name] == nil {
			t.Errorf("the interface %s is not in this test: do wrappers keep it?", name)
		}
	}
	for wrapper, wrap := range wrappers {
		for name, kept := range has {
			if !kept(wrap) {
				t.Errorf("%s: %s is lost", wrapper, name)
			}
		}
	}
	if _, ok := store.As[store.Mover](wrappers["retrying"](base)); ok {
		t.Error("a store that has no optional interface got one")
	}
}

// interfaces are the exported interfaces of the package's source.
func interfaces(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				if _, ok := spec.Type.(*ast.InterfaceType); ok {
					out = append(out, spec.Name.Name)
				}
			}
			return true
		})
	}
	if len(out) < 3 {
		t.Fatalf("found only %v", out)
	}
	return out
}
