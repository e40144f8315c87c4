// Package load reads a project's files and parses them: bytes to syntax trees. It knows which files make a project and
// keeps the parser safe from what would overflow its stack; what the trees mean is decode's and check's work.
package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/yaml"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// Suffix is how the name of a source file ends, and SuffixYAML how that of one in YAML does.
const (
	Suffix     = ".pipec.hcl"
	SuffixYAML = ".pipec.yaml"
)

// MaxRead is how much of a file is read: one byte more than a source may have, so that one that is too large is told.
const MaxRead = expr.MaxFile + 1

// File is one source file.
type File struct {
	Name string // as the user would name it: the project's directory as given, and the file's name
	Body *hclsyntax.Body
	YAML *yaml.Source // of a file in YAML, what there is beside the body; else nil
}

// Project is the parsed source of a project.
type Project struct {
	Dir     string
	Root    *language.Block   // the table that its blocks are of
	Files   []File            // sorted by name; those that could be parsed
	Sources map[string][]byte // the bytes of all files, by name

	unsaved map[string][]byte
}

// Dir reads and parses all source files of a directory. What is wrong in them goes to diags; an error is about
// the directory itself. unsaved are texts that stand for files of it, by their names there: those of an editor, whose
// files may be different or not there at all.
//
// root is the table that files in YAML are read by; package decode reads all files by it.
func Dir(dir string, root *language.Block, unsaved map[string][]byte, diags *diag.List) (*Project, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && (len(unsaved) == 0 || !errors.Is(err, fs.ErrNotExist)) {
		return nil, fmt.Errorf("the project's directory can't be read: %w", err)
	}
	p := &Project{Dir: dir, Root: root, Sources: map[string][]byte{}, unsaved: unsaved}
	var names []string
	for _, e := range withUnsaved(entries, unsaved) {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case IsSource(e.Name()):
			names = append(names, e.Name())
		case strings.HasSuffix(e.Name(), ".pipec.yml"):
			at := hcl.Range{Filename: filepath.Join(dir, e.Name()), Start: hcl.InitialPos, End: hcl.InitialPos}
			diags.Add(diag.New("not-supported", at, "files named %s are not read", "*.pipec.yml").
				WithSuggestion("name it %s", strings.TrimSuffix(e.Name(), ".pipec.yml")+SuffixYAML))
		}
	}
	if len(names) == 0 && !diags.HasErrors() {
		diags.Add(emptyProject(dir, entries))
	}
	p.parse(names, diags)
	return p, nil
}

// IsSource says whether a file of this name is part of a project.
func IsSource(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, Suffix) || strings.HasSuffix(name, SuffixYAML))
}

func emptyProject(dir string, entries []fs.DirEntry) diag.Diagnostic {
	d := diag.New("empty-project", hcl.Range{}, "no %s or %s file is in %s", "*"+Suffix, "*"+SuffixYAML, dir).
		WithDetail("A project is a directory with files of that name.").
		WithSuggestion("`pipec init` writes one to start from; -C DIR names another directory")
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".hcl") {
			return d.WithSuggestion("is %s meant? It would have to be named %s", e.Name(), strings.TrimSuffix(e.Name(), ".hcl")+Suffix)
		}
		if ext := filepath.Ext(e.Name()); ext == ".yaml" || ext == ".yml" {
			return d.WithSuggestion("is %s meant? It would have to be named %s", e.Name(), strings.TrimSuffix(e.Name(), ext)+SuffixYAML)
		}
	}
	return d
}

// Bytes parses one source that stands in memory, as the only file of a project.
func Bytes(dir, name string, src []byte, root *language.Block, diags *diag.List) *Project {
	p := &Project{Dir: dir, Root: root, Sources: map[string][]byte{name: src}}
	if f := parse(name, src, root, diags); f != nil {
		p.Files = append(p.Files, *f)
	}
	return p
}

// parse reads the files in parallel; the result does not depend on who is first.
func (p *Project) parse(names []string, diags *diag.List) {
	sort.Strings(names)
	type result struct {
		src   []byte
		file  *File
		diags diag.List
	}
	results := make([]result, len(names))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, name := range names {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r := &results[i]
			path := filepath.Join(p.Dir, name)
			src, d := p.read(name)
			if d != nil {
				r.diags.Add(*d)
				return
			}
			r.src = src
			r.file = parse(path, src, p.Root, &r.diags)
		})
	}
	wg.Wait()
	for i, name := range names {
		path := filepath.Join(p.Dir, name)
		if results[i].src != nil {
			p.Sources[path] = results[i].src
		}
		diags.AddList(&results[i].diags)
		if results[i].file != nil {
			p.Files = append(p.Files, *results[i].file)
		}
	}
}

func (p *Project) read(name string) ([]byte, *diag.Diagnostic) {
	if src, ok := p.unsaved[name]; ok {
		return newlines(src), nil
	}
	return readFile(filepath.Join(p.Dir, name))
}

func readFile(path string) ([]byte, *diag.Diagnostic) {
	at := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	fail := func(err error) *diag.Diagnostic {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		d := diag.New("file-access", at, "the file can't be read: %v", err)
		return &d
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fail(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fail(errors.New("it is not a regular file"))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fail(err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, MaxRead))
	if err != nil {
		return nil, fail(err)
	}
	return newlines(src), nil
}

// newlines ends lines with a newline alone. A checkout on Windows has CRLF there: in a heredoc that would be part of the
// text, and of the program.
func newlines(src []byte) []byte {
	out := bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	if out == nil {
		return []byte{}
	}
	return out
}

// parse is the gate, and then the parser of HCL or YAML.
func parse(name string, src []byte, root *language.Block, diags *diag.List) *File {
	at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if bad := notText(src); bad >= 0 {
		why := "is no part of a UTF-8 character"
		if src[bad] == 0 {
			why = "is zero, as in binary data and UTF-16"
		}
		diags.Add(diag.New("encoding", position(name, src, bad), "the file is not UTF-8 text").
			WithDetail("Byte %d %s; pipec's files are text.", bad, why))
		return nil
	}
	if strings.HasSuffix(name, SuffixYAML) {
		if y := yaml.Parse(name, src, root, diags); y != nil {
			return &File{Name: name, Body: y.Body, YAML: y}
		}
		return nil
	}
	if r := expr.Gate(src); r != nil {
		at.Start, at.End = r.Pos, r.Pos
		code := "too-large"
		if r.Unclosed {
			code = "unclosed"
		}
		diags.Add(diag.New(code, at, "%s", r.Why))
		return nil
	}
	file, hclDiags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	diags.Add(diag.FromHCL(hclDiags, map[string][]byte{name: src})...)
	if hclDiags.HasErrors() {
		return nil
	}
	body, _ := file.Body.(*hclsyntax.Body)
	return &File{Name: name, Body: body}
}

// notText returns the offset of the first byte that is no text, or -1.
func notText(src []byte) int {
	for i := 0; i < len(src); {
		if src[i] < utf8.RuneSelf {
			if src[i] == 0 {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func position(name string, src []byte, offset int) hcl.Range {
	line := 1 + bytes.Count(src[:offset], []byte("\n"))
	column := 1 + utf8.RuneCount(src[bytes.LastIndexByte(src[:offset], '\n')+1:offset])
	pos := hcl.Pos{Line: line, Column: column, Byte: offset}
	return hcl.Range{Filename: name, Start: pos, End: pos}
}
