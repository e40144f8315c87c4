package lsp

import (
	"os"
	"path/filepath"
	"sync"

	"pipec.dev/pipec/compiler/lint"
)

// pages are the pages of rules that diagnostics link to. An editor opens them from disk, so they are written on demand, and
// deleted at the end of the session.
type pages struct {
	mu    sync.Mutex
	dir   string
	files map[string]string // by code; "" where there is none
}

// of returns the page of a code, or nil.
func (p *pages) of(code string) *page {
	p.mu.Lock()
	defer p.mu.Unlock()
	file, known := p.files[code]
	if !known {
		file = p.write(code)
		p.files[code] = file
	}
	if file == "" {
		return nil
	}
	return &page{uriOf(file, nil)}
}

// write writes a page. It returns "" if the code doesn't belong to a rule, or if writing fails: a missing link is not an
// error.
func (p *pages) write(code string) string {
	rule := lint.Lookup(code)
	if rule == nil {
		return ""
	}
	if p.dir == "" {
		dir, err := os.MkdirTemp("", "pipec-rules-")
		if err != nil {
			return ""
		}
		p.dir = dir
	}
	file := filepath.Join(p.dir, code+".md")
	if os.WriteFile(file, []byte(rule.Page()), 0o600) != nil {
		return ""
	}
	return file
}

func (p *pages) remove() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}
