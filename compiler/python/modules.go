package python

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Modules finds and reads the modules of code directories, each once. It is not safe for concurrent use.
type Modules struct{ found map[string]*Found }

// Found is the result of a search for a module.
type Found struct {
	Path   string  // the file; "" if there is none
	Source []byte  // its text, without a byte order mark
	Module *Module // nil if the file can't be read, or is not text
	// Near are the names of the modules beside the missing one, for suggestions.
	Near []string
	// Unknown reports that only Python can read it: the module is compiled, or its file can't be read.
	Unknown bool
}

// Find finds the module with a dotted name below a directory, as Python does whose search path begins there.
func (m *Modules) Find(dir, name string) *Found {
	key := dir + "\x00" + name
	if f, ok := m.found[key]; ok {
		return f
	}
	if m.found == nil {
		m.found = map[string]*Found{}
	}
	f := find(dir, name)
	m.found[key] = f
	return f
}

func find(dir, name string) *Found {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		last := i == len(parts)-1
		path := filepath.Join(dir, part)
		switch {
		case isFile(filepath.Join(path, "__init__.py")) && last:
			return read(filepath.Join(path, "__init__.py"))
		case isFile(path+".py") && last:
			return read(path + ".py")
		case compiled(dir, part):
			return &Found{Unknown: true}
		case isDir(path) && !last:
			dir = path
			continue
		}
		return &Found{Near: near(dir, parts[:i])}
	}
	return &Found{}
}

// compiled reports whether a module is there in a form that is not text.
func compiled(dir, name string) bool {
	for _, pattern := range []string{name + ".*.so", name + ".so", name + ".pyd", name + ".pyc", name + ".zip"} {
		if matches, err := filepath.Glob(filepath.Join(escape(dir), pattern)); err == nil && len(matches) > 0 {
			return true
		}
	}
	return false
}

// escape makes the signs of a pattern in a path stand for themselves.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// near returns the names of the modules in a directory.
func near(dir string, before []string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".py")
		if name == e.Name() && !isFile(filepath.Join(dir, name, "__init__.py")) || strings.HasPrefix(name, "_") {
			continue
		}
		out = append(out, strings.Join(append(slices.Clone(before), name), "."))
	}
	return out
}

func read(path string) *Found {
	f := &Found{Path: path}
	file, err := os.Open(path)
	if err != nil {
		f.Unknown = true
		return f
	}
	defer file.Close()
	if f.Source, err = io.ReadAll(io.LimitReader(file, MaxFile+1)); err != nil {
		f.Unknown = true
		return f
	}
	if f.Module, err = Read(f.Source); err != nil {
		f.Unknown = true
	}
	f.Source = withoutMark(f.Source) // the positions are in the text without it
	return f
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
