package resolve

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/wheel"
)

// pylockFile is what is read of a pylock.toml (PEP 751).
type pylockFile struct {
	LockVersion    string   `toml:"lock-version"`
	RequiresPython string   `toml:"requires-python"`
	Environments   []string `toml:"environments"`
	DefaultGroups  []string `toml:"default-groups"`
	Packages       []struct {
		Name           string    `toml:"name"`
		Version        string    `toml:"version"`
		Marker         string    `toml:"marker"`
		RequiresPython string    `toml:"requires-python"`
		Wheels         []tomlURL `toml:"wheels"`
		Sdist          *tomlURL  `toml:"sdist"`
		Archive        *tomlURL  `toml:"archive"`
		VCS            *struct{} `toml:"vcs"`
		Directory      *struct{} `toml:"directory"`
	} `toml:"packages"`
}

// tomlURL is a file in a lock. Each format has some of the fields.
type tomlURL struct {
	Name     string            `toml:"name"`
	Filename string            `toml:"filename"`
	URL      string            `toml:"url"`
	Path     string            `toml:"path"`
	Size     int64             `toml:"size"`
	Hash     string            `toml:"hash"`
	Hashes   map[string]string `toml:"hashes"`
}

// link returns the file as a link. Paths are relative to the lock.
func (u tomlURL) link(lock string) index.Link {
	out := index.Link{Filename: u.Name, URL: u.URL, Size: u.Size, SHA256: u.Hashes["sha256"]}
	if sum, ok := strings.CutPrefix(u.Hash, "sha256:"); ok {
		out.SHA256 = sum
	}
	if out.URL == "" && u.Path != "" {
		out.URL = path.Join(path.Dir(lock), u.Path)
	}
	if out.Filename == "" {
		out.Filename = u.Filename
	}
	if out.Filename == "" {
		out.Filename = fileName(out.URL)
	}
	return out
}

// readTOML reads a lock.
func (f *finder) readTOML(into any) error {
	data, err := readFile(f.request.Dir, f.request.Lock)
	if err != nil {
		return err
	}
	err = toml.Unmarshal([]byte(data), into)
	var place *toml.DecodeError
	if errors.As(err, &place) {
		row, _ := place.Position()
		return &Error{File: f.request.Lock, Line: row, Text: place.Error()}
	}
	if err != nil {
		return &Error{File: f.request.Lock, Text: err.Error()}
	}
	return nil
}

func (f *finder) fault(format string, args ...any) error {
	return &Error{File: f.request.Lock, Text: fmt.Sprintf(format, args...)}
}

// pylock reads a pylock.toml.
func (f *finder) pylock() ([]Package, error) {
	var lock pylockFile
	if err := f.readTOML(&lock); err != nil {
		return nil, err
	}
	if major, _, _ := strings.Cut(lock.LockVersion, "."); major != "1" {
		return nil, f.fault("lock-version is %q, expected 1.0", lock.LockVersion)
	}
	if err := f.checkPython(lock.RequiresPython); err != nil {
		return nil, err
	}
	extras := packaging.Extras{Groups: lock.DefaultGroups}
	if err := f.checkEnvironments(lock.Environments); err != nil {
		return nil, err
	}
	var out []Package
	for _, p := range lock.Packages {
		ok, err := f.request.Target.Evaluate(p.Marker, extras)
		if err != nil {
			return nil, f.fault("%s: %v", p.Name, err)
		}
		if !ok {
			continue
		}
		if err := f.checkPython(p.RequiresPython); err != nil {
			return nil, f.fault("%s: %v", p.Name, err)
		}
		pin := pinned{name: wheel.NormalName(p.Name), version: p.Version}
		var got Package
		switch {
		case p.VCS != nil || p.Directory != nil:
			return nil, f.fault("%s is a directory or in version control; %s", p.Name, wayOut)
		case p.Archive != nil:
			link := p.Archive.link(f.request.Lock)
			pin.hashes = []string{link.SHA256}
			got, err = f.fromURL(pin, link.URL, link.Size)
		default:
			got, err = f.fromFiles(pin, p.Wheels, p.Sdist)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, nil
}

// fromFiles chooses among the files that a lock lists.
func (f *finder) fromFiles(p pinned, wheels []tomlURL, sdist *tomlURL) (Package, error) {
	var links []index.Link
	for _, w := range wheels {
		link := w.link(f.request.Lock)
		if link.SHA256 == "" {
			return Package{}, f.fault("%s has no SHA-256 hash", link.Filename)
		}
		if err := index.CheckAddress(link.URL); err != nil {
			return Package{}, err
		}
		links = append(links, link)
	}
	if sdist != nil {
		links = append(links, sdist.link(f.request.Lock))
	}
	if p.version == "" && len(wheels) > 0 {
		if name, err := wheel.ParseFilename(links[0].Filename); err == nil {
			p.version = name.Version
		}
	}
	return f.choose(p, links)
}

func (f *finder) checkPython(specifiers string) error {
	ok, err := packaging.Matches(specifiers, f.request.Target.Python.Version)
	if err != nil {
		return f.fault("requires-python: %v", err)
	}
	if !ok {
		return f.fault("requires Python %s, but the base has %s", specifiers, f.request.Target.Python.Version)
	}
	return nil
}

// checkEnvironments reports an error if a lock is for other environments.
func (f *finder) checkEnvironments(markers []string) error {
	for _, m := range markers {
		ok, err := f.request.Target.Evaluate(m, packaging.Extras{})
		if err != nil {
			return f.fault("environments: %v", err)
		}
		if ok {
			return nil
		}
	}
	if len(markers) > 0 {
		return f.fault("is for other environments than %s", f.describe())
	}
	return nil
}
