package lsp

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
)

// checker compiles projects that have changed, one at a time, and publishes their diagnostics. There is no timer: changes
// during a compilation are compiled together afterwards, and the results of the interrupted compilation are dropped.
type checker struct {
	server *server
	wake   chan struct{}

	mu        sync.Mutex
	changes   map[string]int              // of each project, how often it has changed
	dirty     map[string]bool             // projects to compile
	published map[string]map[string]found // by project and path: what the client shows
	reads     map[string]map[string]bool  // the directories that each project was read from: its own, and those of libraries
}

// found are the diagnostics of a file, as the client was notified of them.
type found struct {
	doc   *document // whose text it is about; nil: the file on disk
	items []finding
}

// finding is one diagnostic with its fixes.
type finding struct {
	diagnostic
	repairs   []repair
	ignorable bool // a comment can ignore it
}

func newChecker(s *server) *checker {
	return &checker{
		server: s, wake: make(chan struct{}, 1),
		changes: map[string]int{}, dirty: map[string]bool{}, published: map[string]map[string]found{},
		reads: map[string]map[string]bool{},
	}
}

// changed marks the projects of a file as changed.
func (c *checker) changed(path string) {
	if !filepath.IsAbs(path) {
		return
	}
	dir := filepath.Dir(path)
	c.mu.Lock()
	defer c.mu.Unlock()
	for project, read := range c.reads {
		if read[dir] && project != dir {
			c.changes[project]++
			c.dirty[project] = true
		}
	}
	if _, known := c.published[dir]; known || c.server.docs.inProject(dir) {
		c.changes[dir]++
		c.dirty[dir] = true
	}
	if len(c.dirty) == 0 {
		return // no open document needs it
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run compiles what has changed, until ctx ends.
func (c *checker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		for dir := c.next(); dir != "" && ctx.Err() == nil; dir = c.next() {
			if err := c.server.guard("checking "+dir, func() error { return c.project(ctx, dir) }); err != nil {
				c.server.log.Printf("%s: %v", dir, err)
			}
		}
	}
}

// next returns a project to compile, or "".
func (c *checker) next() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.dirty) == 0 {
		return ""
	}
	dirs := slices.Sorted(maps.Keys(c.dirty))
	i := max(slices.IndexFunc(dirs, func(dir string) bool { return !c.readsDirty(dir) }), 0)
	delete(c.dirty, dirs[i])
	return dirs[i]
}

// readsDirty reports whether a project reads another one that is not compiled yet: the diagnostics of a library must be
// known first.
func (c *checker) readsDirty(project string) bool {
	for dir := range c.reads[project] {
		if dir != project && c.dirty[dir] {
			return true
		}
	}
	return false
}

func (c *checker) project(ctx context.Context, dir string) error {
	c.mu.Lock()
	change := c.changes[dir]
	c.mu.Unlock()
	docs := c.server.docs.now()
	unsaved, open := map[string][]byte{}, false
	for path, d := range docs {
		rel, err := filepath.Rel(dir, path)
		if err != nil || d.dir() == "" || !isSource(path) {
			continue
		}
		unsaved[filepath.ToSlash(rel)] = d.text.src // libraries may be open too
		open = open || d.dir() == dir
	}
	now := map[string]found{}
	var reads map[string]bool
	if open {
		r, err := c.server.options.Compile(dir, unsaved)
		if err != nil {
			return err
		}
		if c.stale(dir, change) {
			return nil
		}
		ds := r.Diags.Sorted()
		if c.server.options.Lint != nil {
			if told, err := c.server.options.Lint(dir, r); err == nil {
				ds = told
			} else {
				c.server.log.Printf("%s: %v", dir, err)
			}
		}
		now, reads = c.server.findings(dir, r, ds, docs), directories(r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes[dir] == change { // otherwise it is dirty again
		c.reads[dir] = reads
		c.publish(ctx, dir, now, docs)
	}
	return nil
}

// stale reports whether a project has changed again.
func (c *checker) stale(dir string, change int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes[dir] != change
}

// publish sends the diagnostics of all files that have some, of those that no longer have any, and of all open ones. It
// sends nothing about a project without an open document.
func (c *checker) publish(ctx context.Context, dir string, now map[string]found, docs map[string]*document) {
	before := c.published[dir]
	maps.DeleteFunc(now, func(path string, _ found) bool { return c.elsewhere(dir, path, docs) })
	for path, d := range docs {
		if _, told := now[path]; !told && d.dir() == dir && isSource(path) {
			now[path] = found{doc: d}
		}
	}
	paths := maps.Clone(before)
	if paths == nil {
		paths = map[string]found{}
	}
	maps.Copy(paths, now)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if c.elsewhere(dir, path, docs) {
			continue
		}
		p := publishParams{URI: uriOf(path, docs), Diagnostics: []diagnostic{}}
		if old, ok := before[path]; ok && old.doc != nil {
			p.URI = old.doc.uri
		}
		if d := docs[path]; d != nil {
			p.Version = &d.version
		}
		for _, f := range now[path].items {
			p.Diagnostics = append(p.Diagnostics, f.diagnostic)
		}
		c.server.notify(ctx, "textDocument/publishDiagnostics", p)
	}
	c.published[dir] = now
	if len(now) == 0 {
		delete(c.published, dir)
		delete(c.changes, dir)
		delete(c.reads, dir)
		c.server.cache.forget(dir)
	}
}

// elsewhere reports whether the diagnostics of a file are published by the check of its own project, which is a library of
// this one. The check of an open library publishes those of its open files, and of files in which it finds something. Those
// of its other files are published by this project.
func (c *checker) elsewhere(dir, path string, docs map[string]*document) bool {
	of := filepath.Dir(path)
	if of == dir {
		return false
	}
	_, told := c.published[of][path]
	return told || docs[path] != nil
}

// directories returns the directories that a project was read from.
func directories(r *compiler.Result) map[string]bool {
	out := map[string]bool{}
	if r != nil {
		for path := range r.Sources {
			out[filepath.Dir(path)] = true
		}
	}
	return out
}

// findings returns the diagnostics of a project, by path.
func (s *server) findings(dir string, r *compiler.Result, ds []diag.Diagnostic, docs map[string]*document) map[string]found {
	out := map[string]found{}
	t := translator{server: s, dir: dir, docs: docs, sources: r.Sources, texts: map[string]*text{}}
	for _, d := range diag.NewView(ds, r.Sources).Diagnostics {
		path, f := t.finding(d)
		if path == "" {
			continue
		}
		file := out[path]
		file.doc = docs[path]
		file.items = append(file.items, f)
		out[path] = file
	}
	return out
}

// shown returns the findings of a document, if they are about its current text.
func (c *checker) shown(d *document) []finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.published[d.dir()][d.path]; f.doc == d {
		return f.items
	}
	return nil
}
