// Package load reads the files of a project and parses them into syntax trees. It selects the files of a project and
// rejects sources that would overflow the parser's stack. What the trees mean is the task of packages decode and check.
//
// Every text is scanned before it is parsed (expr.Gate), because HCL's parser recurses, and a Go program can't recover from
// a stack overflow.
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

// Suffix is the suffix of the names of source files in HCL, and SuffixYAML of those in YAML.
const (
	Suffix     = ".pipec.hcl"
	SuffixYAML = ".pipec.yaml"
)

// MaxRead is how much of a file is read: one byte more than a source may have, so that a source that is too large can be
// reported.
const MaxRead = expr.MaxFile + 1

// File is one source file.
type File struct {
	Name string // as the user would name it: the project's directory as given, joined with the file's name
	Body *hclsyntax.Body
	YAML *yaml.Source // the source of a file in YAML, of which Body is made; nil for HCL
}

// Project is the parsed source of a project.
type Project struct {
	Dir     string
	Root    *language.Block   // the table that its blocks belong to
	Files   []File            // the files that could be parsed, sorted by name
	Sources map[string][]byte // the bytes of all files, by name

	unsaved map[string][]byte
}

// Dir reads and parses all source files of a directory. Faults in the files are added to diags. An error is about the
// directory itself. unsaved are the texts of an editor that replace files of the directory, by name. Such files may not
// exist yet.
//
// root is the table that files in YAML are read by. Package decode reads all files by it.
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

// The suffixes of the names of files of tests.
const (
	SuffixTests     = ".pipec-test.hcl"
	SuffixTestsYAML = ".pipec-test.yaml"
)

// IsTests reports whether a file of this name contains tests of a project.
func IsTests(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, SuffixTests) || strings.HasSuffix(name, SuffixTestsYAML))
}

// Tests reads and parses the files of tests in a directory, by the table root. There may be none.
func Tests(dir string, root *language.Block, diags *diag.List) (*Project, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the project's directory can't be read: %w", err)
	}
	p := &Project{Dir: dir, Root: root, Sources: map[string][]byte{}}
	var names []string
	for _, e := range entries {
		if IsTests(e.Name()) {
			names = append(names, e.Name())
		}
	}
	p.parse(names, diags)
	return p, nil
}

// IsSource reports whether a file of this name is part of a project.
func IsSource(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, Suffix) || strings.HasSuffix(name, SuffixYAML))
}

func emptyProject(dir string, entries []fs.DirEntry) diag.Diagnostic {
	d := diag.New("empty-project", hcl.Range{}, "there is no %s or %s file in %s", "*"+Suffix, "*"+SuffixYAML, dir).
		WithDetail("A project is a directory with such files.").
		WithSuggestion("`pipec init` writes one to start from; -C DIR names another directory")
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".hcl") {
			return d.WithSuggestion("did you mean %s? Rename it to %s", e.Name(), strings.TrimSuffix(e.Name(), ".hcl")+Suffix)
		}
		if ext := filepath.Ext(e.Name()); ext == ".yaml" || ext == ".yml" {
			return d.WithSuggestion("did you mean %s? Rename it to %s", e.Name(), strings.TrimSuffix(e.Name(), ext)+SuffixYAML)
		}
	}
	return d
}

// Bytes parses one source that is in memory, as the only file of a project.
func Bytes(dir, name string, src []byte, root *language.Block, diags *diag.List) *Project {
	p := &Project{Dir: dir, Root: root, Sources: map[string][]byte{name: src}}
	if f := parse(name, src, root, diags); f != nil {
		p.Files = append(p.Files, *f)
	}
	return p
}

// parse reads the files in parallel. The order of the result doesn't depend on the timing.
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

// newlines ends lines with a newline only. A checkout on Windows has CRLF, which would become part of the text of a
// heredoc, and so of the program.
func newlines(src []byte) []byte {
	out := bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	if out == nil {
		return []byte{}
	}
	return out
}

// parse checks the nesting of a source, and then parses it as HCL or YAML.
func parse(name string, src []byte, root *language.Block, diags *diag.List) *File {
	at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if bad := notText(src); bad >= 0 {
		why := "is not part of a UTF-8 character"
		if src[bad] == 0 {
			why = "is zero, as in binary data and UTF-16"
		}
		diags.Add(diag.New("encoding", position(name, src, bad), "the file is not UTF-8 text").
			WithDetail("Byte %d %s; pipec's files are text.", bad, why))
		return nil
	}
	if strings.HasSuffix(name, SuffixYAML) || strings.HasSuffix(name, SuffixTestsYAML) {
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

// notText returns the offset of the first byte that is not text, or -1.
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
