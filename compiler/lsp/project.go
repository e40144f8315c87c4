package lsp

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/sourcegraph/jsonrpc2"

	"pipec.dev/pipec/compiler/lsp/names"
	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// source is a file of a project at the time of a request.
type source struct {
	*names.File
	text *text
}

// project is a project at the time of a request.
type project struct {
	dir     string
	docs    map[string]*document
	sources map[string]*source
	index   *names.Index
}

// outlines caches outlines between requests, by path, for as long as the text is the same.
type outlines struct {
	root *language.Block

	mu      sync.Mutex
	sources map[string]*source
	indexes map[string]*names.Index // by project
}

func newOutlines(root *language.Block) *outlines {
	if root == nil {
		root = language.Root()
	}
	return &outlines{root: root, sources: map[string]*source{}, indexes: map[string]*names.Index{}}
}

// source returns the outline of a text.
func (o *outlines) source(path string, src []byte, t *text, enc encoding) *source {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.sources[path]; s != nil && bytes.Equal(s.Src, src) {
		return s
	}
	if t == nil {
		t = diskText(src, enc)
	}
	parse := outline.Parse
	if isYAML(path) {
		parse = outline.ParseYAML
	}
	s := &source{&names.File{Path: path, File: parse(src, o.root)}, t}
	o.sources[path] = s
	return s
}

// index returns the declarations of files, which are all files of a project.
func (o *outlines) index(dir string, files []*names.File) *names.Index {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x := o.indexes[dir]; x != nil && slices.Equal(x.Files, files) {
		return x
	}
	o.indexes[dir] = names.New(files)
	return o.indexes[dir]
}

// forget drops the cache of a project without open documents.
func (o *outlines) forget(dir string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.indexes, dir)
	for path := range o.sources {
		if filepath.Dir(path) == dir {
			delete(o.sources, path)
		}
	}
}

// project reads the files around a document, each from the editor if it is open and otherwise from disk.
func (s *server) project(d *document, docs map[string]*document) *project {
	p := &project{dir: d.dir(), docs: docs, sources: map[string]*source{}}
	if p.dir == "" {
		p.sources[d.path] = s.cache.source(d.path, d.text.src, d.text, s.enc)
	} else {
		entries, _ := os.ReadDir(p.dir) // the compiler reports what can't be read
		for _, e := range entries {
			path := filepath.Join(p.dir, e.Name())
			if docs[path] != nil || !outlined(path) {
				continue
			}
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() > expr.MaxFile {
				continue
			}
			if src, err := os.ReadFile(path); err == nil {
				p.sources[path] = s.cache.source(path, src, nil, s.enc)
			}
		}
		for path, doc := range docs {
			if doc.dir() == p.dir && outlined(path) {
				p.sources[path] = s.cache.source(path, doc.text.src, doc.text, s.enc)
			}
		}
	}
	var files []*names.File
	for _, src := range p.sources {
		files = append(files, src.File)
	}
	slices.SortFunc(files, func(a, b *names.File) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) })
	p.index = s.cache.index(p.dir, files)
	return p
}

// view is a document with its project.
type view struct {
	*project
	*source
	server *server
	doc    *document
}

// in calls f with the document of a request, at the time of the request. The result for a document without an outline is
// empty.
func (s *server) in(id documentID, f func(ctx context.Context, v *view) (any, error)) (answer, error) {
	docs := s.docs.now()
	d := docs[pathOf(id.URI)]
	if d == nil {
		return nil, &jsonrpc2.Error{Code: codeInvalidParams, Message: id.URI + " is not open"}
	}
	return func(ctx context.Context) (any, error) {
		if !outlined(d.path) && d.dir() != "" {
			return nil, nil
		}
		p := s.project(d, docs)
		return f(ctx, &view{p, p.sources[d.path], s, d})
	}, nil
}

// location returns a range in a file of the project.
func (p *project) location(f *names.File, at outline.Span) location {
	return location{uriOf(f.Path, p.docs), p.sources[f.Path].text.span(at.Start, at.End)}
}
