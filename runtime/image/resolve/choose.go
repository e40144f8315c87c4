package resolve

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/wheel"
)

// pinned is a package whose version a lock states.
type pinned struct {
	name, version string
	hashes        []string // hexadecimal SHA-256 digests, one of which the wheel must have
}

// choose returns the best of the files of a package. Those with other names are ignored.
func (f *finder) choose(p pinned, links []index.Link) (Package, error) {
	type candidate struct {
		link  index.Link
		rank  int
		build int
	}
	var fit []candidate
	var wheels, sources, unlisted int
	for _, l := range links {
		if !strings.HasSuffix(l.Filename, ".whl") {
			if isSource(l.Filename, p) {
				sources++
			}
			continue
		}
		name, rank, ok := f.rank(l.Filename)
		if wheel.NormalName(name.Name) != p.name || !packaging.SameVersion(strings.ReplaceAll(name.Version, "_", "-"), p.version) {
			continue
		}
		wheels++
		if !ok || !f.pythonFits(l.RequiresPython) {
			continue
		}
		if l.SHA256 != "" && len(p.hashes) > 0 && !slices.Contains(p.hashes, l.SHA256) {
			unlisted++
			continue
		}
		build, _ := strconv.Atoi(strings.TrimRightFunc(name.Build, func(r rune) bool { return r < '0' || r > '9' }))
		fit = append(fit, candidate{l, rank, build})
	}
	slices.SortStableFunc(fit, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.build, a.build), strings.Compare(a.link.Filename, b.link.Filename))
	})
	for _, c := range fit {
		sum := c.link.SHA256
		if sum == "" { // a local file, or an index that states no digests
			var err error
			if _, sum, err = f.client.Fetch(f.ctx, index.File{URL: c.link.URL, Size: c.link.Size}, nil); err != nil {
				return Package{}, err
			}
			if len(p.hashes) > 0 && !slices.Contains(p.hashes, sum) {
				unlisted++
				continue
			}
		}
		return Package{Name: p.name, Version: p.version, URL: c.link.URL, SHA256: sum, Size: c.link.Size}, nil
	}
	return Package{}, &Error{File: f.request.Lock, Text: f.noWheel(p, wheels, sources, unlisted)}
}

func (f *finder) noWheel(p pinned, wheels, sources, unlisted int) string {
	what := p.name + " " + p.version
	switch {
	case unlisted > 0:
		return fmt.Sprintf("%s has wheels for %s, but none has a hash that the lock lists", what, f.describe())
	case wheels > 0:
		return fmt.Sprintf("%s has no wheel for %s, among %d wheels; %s", what, f.describe(), wheels, wayOut)
	case sources > 0:
		return fmt.Sprintf("%s has only a source distribution; %s", what, wayOut)
	}
	return what + " is not in the index"
}

// isSource reports whether a file is a source distribution of a package.
func isSource(filename string, p pinned) bool {
	for _, ext := range []string{".tar.gz", ".zip", ".tar.bz2"} {
		stem, ok := strings.CutSuffix(filename, ext)
		i := strings.LastIndexByte(stem, '-')
		if ok && i > 0 && wheel.NormalName(stem[:i]) == p.name && packaging.SameVersion(stem[i+1:], p.version) {
			return true
		}
	}
	return false
}

func (f *finder) pythonFits(specifiers string) bool {
	ok, err := packaging.Matches(specifiers, f.request.Target.Python.Version)
	return ok || err != nil // pip, too, ignores what it can't parse
}

// fromURL returns a package whose wheel a requirement or a lock names by its address.
func (f *finder) fromURL(p pinned, address string, size int64) (Package, error) {
	if err := index.CheckAddress(address); err != nil {
		return Package{}, err
	}
	link := index.Link{Filename: fileName(address), URL: address, Size: size}
	if len(p.hashes) == 1 {
		link.SHA256 = p.hashes[0]
	}
	if !strings.HasSuffix(link.Filename, ".whl") {
		return Package{}, &Error{File: f.request.Lock, Text: fmt.Sprintf("%s is at %s, which is not a wheel; %s", p.name, index.Shown(address), wayOut)}
	}
	name, err := wheel.ParseFilename(link.Filename)
	if err != nil {
		return Package{}, &Error{File: f.request.Lock, Text: err.Error()}
	}
	if p.version == "" {
		p.version = name.Version
	}
	return f.choose(p, []index.Link{link})
}

// fileName returns the name of the file that an address leads to.
func fileName(address string) string {
	address, _, _ = strings.Cut(address, "#")
	address, _, _ = strings.Cut(address, "?")
	name := path.Base(address)
	if plain, err := pathUnescape(name); err == nil {
		return plain
	}
	return name
}

// find looks a package up in the indexes.
func (f *finder) find(p pinned, indexes, findLinks []string) (Package, error) {
	var links []index.Link
	for _, at := range findLinks {
		page, err := f.page("page "+at, func() ([]index.Link, error) { return f.client.Page(f.ctx, at) })
		if err != nil {
			return Package{}, err
		}
		links = append(links, page...)
	}
	for _, at := range indexes {
		page, err := f.page("index "+at+" "+p.name, func() ([]index.Link, error) { return f.client.Project(f.ctx, at, p.name) })
		if err != nil {
			return Package{}, err
		}
		links = append(links, page...)
	}
	return f.choose(p, links)
}

func (f *finder) page(key string, read func() ([]index.Link, error)) ([]index.Link, error) {
	if page, ok := f.pages[key]; ok {
		return page, nil
	}
	page, err := read()
	if err == nil {
		f.pages[key] = page
	}
	return page, err
}

// indexes returns the indexes of the request, or else of the environment, or else PyPI.
func (f *finder) indexes() []string {
	first := cmp.Or(f.request.Index, f.request.Getenv("PIP_INDEX_URL"), defaultIndex)
	return append([]string{first}, f.request.ExtraIndexes...)
}
