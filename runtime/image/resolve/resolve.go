// Package resolve finds the wheels that an image consists of, for the image's Python and platform. A lock that the project has is
// taken as it is: a requirements file with hashes, pylock.toml (PEP 751), or uv.lock. Without one, uv or pip resolves.
//
// The result names each wheel by its address and digest. The package downloads no wheel whose digest it knows, and never builds
// one: source distributions, version control URLs and editable projects are rejected.
package resolve

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/wheel"
)

// Package is a wheel that was chosen.
type Package struct {
	Name    string // in its normal form
	Version string
	URL     string // or a path relative to the project
	SHA256  string // hexadecimal
	Size    int64  // 0: unknown
}

// Request states what to resolve.
type Request struct {
	Dir          string   // of the project
	Lock         string   // the user's lock, relative to Dir; "" resolves Requirements
	Requirements []string // such as "numpy>=1.26"
	Index        string   // the address of the index; "": PyPI, or what the environment sets
	ExtraIndexes []string
	FindLinks    []string // pages or directories with wheels
	Target       packaging.Target
	Getenv       func(string) string
	// Only are the names of packages that may change if Current are kept otherwise; nil: all. They apply without a lock.
	Only    []string
	Current []Package
}

// Error explains what in a project's files can't be resolved.
type Error struct {
	File string // the lock; "": the image block
	Line int    // from 1; 0: unknown
	Text string
}

func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Text
	case e.Line == 0:
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// wayOut ends the messages about what has no wheel.
const wayOut = "pipec installs wheels only: build a wheel of it with `pip wheel` and name its directory in `find_links`, or use a `dockerfile`"

// defaultIndex is PyPI.
const defaultIndex = "https://pypi.org/simple"

// Resolve returns the packages, sorted by name.
func Resolve(ctx context.Context, c *index.Client, r Request) ([]Package, error) {
	for _, address := range slices.Concat([]string{r.Index}, r.ExtraIndexes, r.FindLinks) {
		if err := index.CheckAddress(address); err != nil {
			return nil, err
		}
	}
	f := &finder{ctx: ctx, client: c, request: &r, tags: r.Target.Tags(), pages: map[string][]index.Link{}}
	var out []Package
	var err error
	switch base := path.Base(filepath.ToSlash(r.Lock)); {
	case r.Lock == "":
		out, err = f.resolver()
	case base == "uv.lock":
		out, err = f.uvLock()
	case strings.HasSuffix(base, ".toml"):
		out, err = f.pylock()
	default:
		out, err = f.requirements(r.Lock)
	}
	if err != nil {
		return nil, err
	}
	return unique(r.Lock, out)
}

// unique sorts packages, and rejects two versions of one.
func unique(file string, all []Package) ([]Package, error) {
	slices.SortFunc(all, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.SHA256, b.SHA256))
	})
	all = slices.CompactFunc(all, func(a, b Package) bool { return a.Name == b.Name && a.SHA256 == b.SHA256 })
	for i := 1; i < len(all); i++ {
		if all[i].Name == all[i-1].Name {
			return nil, &Error{File: file, Text: fmt.Sprintf("%s appears twice, in the versions %s and %s", all[i].Name, all[i-1].Version, all[i].Version)}
		}
	}
	return all, nil
}

// finder resolves one request.
type finder struct {
	ctx     context.Context
	client  *index.Client
	request *Request
	tags    map[string]int
	pages   map[string][]index.Link // that have been read
}

// describe names the target in messages.
func (f *finder) describe() string {
	t := f.request.Target
	out := t.Platform + ", Python " + t.Python.Minor()
	if t.Libc.Name != "" {
		out += fmt.Sprintf(", %s %d.%d", t.Libc.Name, t.Libc.Major, t.Libc.Minor)
	}
	return out
}

// rank returns how well a wheel fits: the lowest is the best. ok is false if it can't be installed.
func (f *finder) rank(filename string) (name wheel.Filename, rank int, ok bool) {
	name, err := wheel.ParseFilename(filename)
	if err != nil {
		return name, 0, false
	}
	rank = -1
	for _, python := range name.Python {
		for _, abi := range name.ABI {
			for _, platform := range name.Platforms {
				if r, found := f.tags[python+"-"+abi+"-"+platform]; found && (rank < 0 || r < rank) {
					rank = r
				}
			}
		}
	}
	return name, rank, rank >= 0
}
