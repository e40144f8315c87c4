package lsp

import (
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"pipec.dev/pipec/compiler/load"
)

// document is a text that is open in the editor. It is immutable: a changed text is a new document.
type document struct {
	uri     string
	path    string // where its file is, or would be; the URI itself where it has no place
	version int
	text    *text
}

// dir returns the directory of the document's project; "" if the document has none.
func (d *document) dir() string {
	if !filepath.IsAbs(d.path) {
		return ""
	}
	return filepath.Dir(d.path)
}

// documents are the open documents.
type documents struct {
	mu     sync.Mutex
	byPath map[string]*document
}

func newDocuments() *documents { return &documents{byPath: map[string]*document{}} }

func (d *documents) get(path string) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byPath[path]
}

func (d *documents) set(doc *document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byPath[doc.path] = doc
}

func (d *documents) remove(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byPath, path)
}

// now returns a copy of all documents, by path.
func (d *documents) now() map[string]*document {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.byPath)
}

// inProject reports whether a document of the project is open.
func (d *documents) inProject(dir string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, doc := range d.byPath {
		if doc.dir() == dir {
			return true
		}
	}
	return false
}

// pathOf returns the path that a URI names, or the URI itself if it doesn't name a file.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" {
		return uri
	}
	path := u.Path
	if len(path) > 2 && path[0] == '/' && path[2] == ':' { // /C:/…
		path = path[1:]
	}
	return filepath.Clean(filepath.FromSlash(path))
}

// uriOf returns the URI of a path, as the client writes it if the file is open.
func uriOf(path string, docs map[string]*document) string {
	if d := docs[path]; d != nil {
		return d.uri
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String()
}

// isSource reports whether a path is of a file that is part of a project.
func isSource(path string) bool {
	name := filepath.Base(path)
	return !strings.HasPrefix(name, ".") &&
		(strings.HasSuffix(name, load.Suffix) || isYAML(name) || strings.HasSuffix(name, ".pipec.yml"))
}

// isYAML reports whether a path is of a source in YAML.
func isYAML(path string) bool { return strings.HasSuffix(path, load.SuffixYAML) }

// outlined reports whether a path is of a source that a project reads. A file named .yml is only reported.
func outlined(path string) bool { return isSource(path) && !strings.HasSuffix(path, ".yml") }

func (s *server) didOpen(p openParams) error {
	d := p.TextDocument
	s.docs.set(&document{d.URI, pathOf(d.URI), d.Version, newText([]byte(d.Text), s.enc)})
	s.check.changed(pathOf(d.URI))
	return nil
}

func (s *server) didChange(p changeParams) error {
	path := pathOf(p.TextDocument.URI)
	old := s.docs.get(path)
	if old == nil {
		return fmt.Errorf("%s is not open", p.TextDocument.URI)
	}
	text, version := old.text, old.version
	for _, c := range p.ContentChanges {
		if c.Range == nil {
			text = newText([]byte(c.Text), s.enc)
		} else {
			text = newText(text.replaced(*c.Range, c.Text), s.enc)
		}
	}
	if p.TextDocument.Version != nil {
		version = *p.TextDocument.Version
	}
	s.docs.set(&document{old.uri, path, version, text})
	s.check.changed(path)
	return nil
}

// didSave checks again: expressions may read files of the project, and one of them may have been saved.
func (s *server) didSave(p documentParams) error {
	s.check.changed(pathOf(p.TextDocument.URI))
	return nil
}

func (s *server) didClose(p documentParams) error {
	path := pathOf(p.TextDocument.URI)
	s.docs.remove(path)
	s.check.changed(path)
	return nil
}

func (s *server) didChangeWatchedFiles(p watchedParams) error {
	for _, c := range p.Changes {
		s.check.changed(pathOf(c.URI))
	}
	return nil
}
