package resolve

import (
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/wheel"
)

// uvFile is what is read of a uv.lock.
type uvFile struct {
	Version        int         `toml:"version"`
	RequiresPython string      `toml:"requires-python"`
	Packages       []uvPackage `toml:"package"`
}

type uvPackage struct {
	Name         string                    `toml:"name"`
	Version      string                    `toml:"version"`
	Source       map[string]any            `toml:"source"`
	Dependencies []uvDependency            `toml:"dependencies"`
	Optional     map[string][]uvDependency `toml:"optional-dependencies"`
	Markers      []string                  `toml:"resolution-markers"`
	Wheels       []tomlURL                 `toml:"wheels"`
	Sdist        *tomlURL                  `toml:"sdist"`
}

type uvDependency struct {
	Name    string         `toml:"name"`
	Version string         `toml:"version"`
	Source  map[string]any `toml:"source"`
	Marker  string         `toml:"marker"`
	Extra   []string       `toml:"extra"`
}

// uvLock reads a uv.lock: what the project in the lock's directory needs, without its groups and extras.
func (f *finder) uvLock() ([]Package, error) {
	var lock uvFile
	if err := f.readTOML(&lock); err != nil {
		return nil, err
	}
	if lock.Version != 1 {
		return nil, f.fault("version is %d, expected 1", lock.Version)
	}
	if err := f.checkPython(lock.RequiresPython); err != nil {
		return nil, err
	}
	w := &uvWalk{finder: f, lock: &lock, found: map[*uvPackage]bool{}, seen: map[string]bool{}}
	roots := 0
	for i := range lock.Packages {
		if p := &lock.Packages[i]; p.root() {
			roots++
			if err := w.dependencies(p, p.Dependencies, nil); err != nil {
				return nil, err
			}
		}
	}
	if roots == 0 {
		return nil, f.fault("has no project: expected a package whose source is virtual or editable \".\"")
	}
	return w.packages()
}

// root reports whether the package is the project itself, or a member of its workspace.
func (p *uvPackage) root() bool {
	for _, kind := range []string{"virtual", "editable"} {
		if at, ok := p.Source[kind].(string); ok && at == "." {
			return true
		}
	}
	return false
}

// uvWalk follows dependencies.
type uvWalk struct {
	*finder
	lock  *uvFile
	found map[*uvPackage]bool
	seen  map[string]bool // packages with an extra, whose dependencies have been followed
}

// dependencies follows dependencies whose markers are true. from is the package that has them, and extras those of it that are
// used.
func (w *uvWalk) dependencies(from *uvPackage, all []uvDependency, extras []string) error {
	for _, d := range all {
		ok, err := w.request.Target.Evaluate(d.Marker, packaging.Extras{Extras: extras})
		if err != nil {
			return w.fault("%s: %v", from.Name, err)
		}
		if !ok {
			continue
		}
		p, err := w.lookup(d)
		if err != nil {
			return err
		}
		w.found[p] = true
		for _, extra := range append([]string{""}, d.Extra...) {
			key := p.Name + " " + p.Version + " " + extra
			if w.seen[key] {
				continue
			}
			w.seen[key] = true
			next, used := p.Dependencies, []string(nil)
			if extra != "" {
				next, used = p.Optional[extra], []string{extra}
			}
			if err := w.dependencies(p, next, used); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookup returns the package of a dependency. A lock may have several versions, for different environments.
func (w *uvWalk) lookup(d uvDependency) (*uvPackage, error) {
	var fit []*uvPackage
	for i := range w.lock.Packages {
		p := &w.lock.Packages[i]
		if p.Name != d.Name || d.Version != "" && p.Version != d.Version || len(d.Source) > 0 && !sameSource(p.Source, d.Source) {
			continue
		}
		ok := len(p.Markers) == 0
		for _, m := range p.Markers {
			is, err := w.request.Target.Evaluate(m, packaging.Extras{})
			if err != nil {
				return nil, w.fault("%s: %v", p.Name, err)
			}
			ok = ok || is
		}
		if ok || d.Version != "" {
			fit = append(fit, p)
		}
	}
	if len(fit) != 1 {
		return nil, w.fault("has %d packages %s for %s, expected 1", len(fit), d.Name, w.describe())
	}
	return fit[0], nil
}

func sameSource(a, b map[string]any) bool {
	for k, v := range b {
		if a[k] != v {
			return false
		}
	}
	return true
}

// packages chooses the wheels of the packages that were found.
func (w *uvWalk) packages() ([]Package, error) {
	var out []Package
	for i := range w.lock.Packages {
		p := &w.lock.Packages[i]
		if !w.found[p] || p.root() {
			continue
		}
		for _, kind := range []string{"git", "directory", "editable", "virtual"} {
			if _, ok := p.Source[kind]; ok {
				return nil, w.fault("%s has the source %s; %s", p.Name, kind, wayOut)
			}
		}
		wheels := slices.Clone(p.Wheels)
		if at, ok := p.Source["url"].(string); ok {
			for i := range wheels {
				if wheels[i].URL == "" {
					wheels[i].URL = at
				}
			}
		}
		if at, ok := p.Source["registry"].(string); ok && !strings.Contains(at, "://") {
			for i := range wheels {
				if wheels[i].Path != "" {
					wheels[i].Path = strings.TrimRight(at, "/") + "/" + wheels[i].Path
				}
			}
		}
		got, err := w.fromFiles(pinned{name: wheel.NormalName(p.Name), version: p.Version}, wheels, p.Sdist)
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, nil
}
