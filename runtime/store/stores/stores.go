// Package stores opens the artifact store of a stack: a table with a row for each kind, and the function that opens it.
// Everything that opens a store does so here: the command line, the drivers and the agent in a pod. What a kind's
// attributes mean when they are written is a row of schema/kinds.
package stores

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/program"
)

// Store is an open artifact store. The caller closes it after use.
type Store interface {
	store.Store
	io.Closer
}

// Options are what a stack doesn't declare about its store.
type Options struct {
	// Dir is the directory that relative paths of stores in directories start from; "": the process's own.
	Dir string
	// Environ looks up the credentials. nil: the process's environment.
	Environ func(string) (string, bool)
	// Memory bounds the bytes of objects that are held while they are read or written; 0: the store's default.
	Memory int64
}

// Kind is one kind of store.
type Kind struct {
	Kind string
	// Open prepares the store for use. It makes no request to a server: a missing bucket is reported by the first use,
	// or by store.Check.
	Open func(context.Context, program.Store, Options) (Store, error)
}

// Set is a table of kinds.
type Set []Kind

// Builtin returns the kinds of pipec itself.
func Builtin() Set {
	return Set{
		{"local", openLocal},
		{s3.Kind, func(ctx context.Context, s program.Store, o Options) (Store, error) {
			return s3.Open(ctx, s, s3.Options{Environ: o.Environ, Memory: o.Memory})
		}},
	}
}

// Open opens a store by its kind. A nil Set is Builtin.
func (set Set) Open(ctx context.Context, s program.Store, o Options) (Store, error) {
	if set == nil {
		set = Builtin()
	}
	i := slices.IndexFunc(set, func(k Kind) bool { return k.Kind == s.Kind })
	if i < 0 {
		var known []string
		for _, k := range set {
			known = append(known, k.Kind)
		}
		return nil, fmt.Errorf("there is no artifact store of kind %q: the kinds are %s", s.Kind, strings.Join(known, ", "))
	}
	return set[i].Open(ctx, s, o)
}

func openLocal(_ context.Context, s program.Store, o Options) (Store, error) {
	path := s.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Dir, path)
	}
	return store.OpenLocal(path)
}
