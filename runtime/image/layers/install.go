package layers

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/wheel"
)

// maxScript is the size of a script whose first line is replaced. Larger ones are programs, which have no such line.
const maxScript = 8 << 20

// install returns the files of a wheel, and what an installer adds: the commands of entry points, INSTALLER and RECORD.
func (l Layout) install(w *wheel.Wheel) ([]entry, error) {
	var out []entry
	rows := &record{site: l.site()}
	installer := w.DistInfo + "/INSTALLER"
	commands := map[string]bool{}
	for _, p := range w.EntryPoints {
		commands[p.Name] = true
	}
	for _, f := range w.Files {
		at := l.place(w, f)
		if f.Scheme == wheel.Scripts && commands[f.Path] || at == path.Join(l.site(), installer) {
			continue // pip, too, replaces these
		}
		if l.reserved(at) {
			return nil, fmt.Errorf("wheel %q would replace %s/%s", w.Filename.Name, Root, at)
		}
		e := entry{path: at, executable: f.Executable || f.Scheme == wheel.Scripts, file: f, wheel: w.Name}
		if f.Scheme == wheel.Scripts && f.Size <= maxScript {
			content, err := l.script(f)
			if err != nil {
				return nil, err
			}
			if content != nil {
				e.file, e.content = nil, content
			}
		}
		out = append(out, e)
		if e.file != nil {
			rows.add(at, f.RecordHash(), f.Size)
		} else {
			rows.content(at, e.content)
		}
	}
	generated := func(at string, content []byte, executable bool) {
		out = append(out, entry{path: at, content: content, executable: executable, wheel: w.Name})
		rows.content(at, content)
	}
	for _, p := range w.EntryPoints {
		at := "bin/" + p.Name
		if l.reserved(at) {
			return nil, fmt.Errorf("wheel %q would replace %s/%s", w.Filename.Name, Root, at)
		}
		generated(at, l.command(p), true)
	}
	generated(path.Join(l.site(), installer), []byte("pipec\n"), false)
	at := path.Join(l.site(), w.DistInfo, "RECORD")
	out = append(out, entry{path: at, content: rows.bytes(at), wheel: w.Name})
	return out, nil
}

// errEnough ends the copy of a file's start.
var errEnough = errors.New("enough")

// start is a writer that accepts the first bytes of a file.
type start struct{ b []byte }

func (s *start) Write(p []byte) (int, error) {
	if s.b = append(s.b, p[:min(len(p), 16)]...); len(s.b) >= 16 {
		return 0, errEnough
	}
	return len(p), nil
}

// script returns the content of a script whose first line names the interpreter by #!python, with that line replaced. Options in
// that line are dropped, as pip does. It returns nil for other scripts.
func (l Layout) script(f *wheel.File) ([]byte, error) {
	var s start
	if err := f.Copy(&s); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if !bytes.HasPrefix(s.b, []byte("#!python")) {
		return nil, nil
	}
	var b bytes.Buffer
	if err := f.Copy(&b); err != nil {
		return nil, err
	}
	_, rest, _ := bytes.Cut(b.Bytes(), []byte("\n"))
	return append([]byte("#!"+Root+"/bin/python\n"), rest...), nil
}

// command returns the script of an entry point, as pip writes it.
func (l Layout) command(p wheel.EntryPoint) []byte {
	first, _, _ := strings.Cut(p.Function, ".")
	return fmt.Appendf(nil, `#!%s/bin/python
# -*- coding: utf-8 -*-
import re
import sys
from %s import %s
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
    sys.exit(%s())
`, Root, p.Module, first, p.Function)
}

// record collects the rows of an installed RECORD.
type record struct {
	site string
	rows []string
}

func (r *record) content(at string, content []byte) {
	r.add(at, wheel.RecordHash(content), int64(len(content)))
}

func (r *record) add(at, sum string, size int64) {
	r.rows = append(r.rows, r.name(at)+","+sum+","+fmt.Sprint(size))
}

// name returns a path relative to the directory of packages, as CSV.
func (r *record) name(at string) string {
	name, ok := strings.CutPrefix(at, r.site+"/")
	if !ok {
		name = strings.Repeat("../", strings.Count(r.site, "/")+1) + at
	}
	if strings.ContainsAny(name, ",\"\n") {
		name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	return name
}

func (r *record) bytes(own string) []byte {
	rows := append(slices.Clone(r.rows), r.name(own)+",,")
	slices.Sort(rows)
	return []byte(strings.Join(rows, "\n") + "\n")
}

// Clash is a path that two wheels install, with different content or unknown. The later wheel by name replaces the other's file.
type Clash struct {
	Path        string
	First, Then string // names of projects
}

// merge joins the files of wheels. The last of several files at one path remains, as with pip.
func merge(all []entry) (out []entry, clashes []Clash, err error) {
	at := map[string]int{}
	for _, e := range all {
		if i, ok := at[e.path]; ok {
			if !same(out[i], e) {
				clashes = append(clashes, Clash{path.Join(Root, e.path), out[i].wheel, e.wheel})
			}
			out[i] = e
			continue
		}
		at[e.path] = len(out)
		out = append(out, e)
	}
	for _, e := range out {
		for dir := path.Dir(e.path); dir != "."; dir = path.Dir(dir) {
			if i, ok := at[dir]; ok {
				return nil, nil, fmt.Errorf("%s/%s is a file of %s, and a directory of %s", Root, dir, out[i].wheel, e.wheel)
			}
		}
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	return out, clashes, nil
}

func same(a, b entry) bool {
	if a.file != nil && b.file != nil {
		return a.file.RecordHash() == b.file.RecordHash() && a.file.Size == b.file.Size
	}
	return a.file == nil && b.file == nil && bytes.Equal(a.content, b.content) && a.link == b.link
}
