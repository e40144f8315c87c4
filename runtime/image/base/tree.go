package base

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The kinds of nodes.
const (
	isFile = iota + 1
	isLink
	isDir
)

// node is a file, a directory or a symbolic link.
type node struct {
	kind   int
	target string // of a link
}

// tree is the file system of an image, by absolute paths.
type tree struct {
	nodes    map[string]node
	contents map[string][]byte // of the few files that state a version
}

// maxLinks limits how many symbolic links a path may lead through, as the kernel does.
const maxLinks = 40

// resolve follows all symbolic links of a path.
func (t *tree) resolve(name string) (string, bool) {
	done, rest := "/", strings.Split(strings.Trim(path.Clean(name), "/"), "/")
	for links := 0; len(rest) > 0; {
		at := path.Join(done, rest[0])
		n, ok := t.nodes[at]
		switch {
		case rest[0] == "..":
			done = path.Dir(done)
		case n.kind == isLink:
			if links++; links > maxLinks {
				return "", false
			}
			if path.IsAbs(n.target) {
				done = "/"
			}
			rest = append(parts(n.target), rest[1:]...)
			continue
		case !ok && len(rest) == 1:
			return "", false
		default: // layers may leave out the entries of directories
			done = at
		}
		rest = rest[1:]
	}
	return done, true
}

// parts returns the parts of a link's target. Cleaning it would change what .. after a link means.
func parts(target string) []string {
	return slices.DeleteFunc(strings.Split(target, "/"), func(p string) bool { return p == "" || p == "." })
}

// versions returns the versions of the standard libraries in a directory: 3.11, or 3.13t.
func (t *tree) versions(lib string) []string {
	pattern := regexp.MustCompile("^" + regexp.QuoteMeta(lib) + `/python(3\.[0-9]+t?)/os\.py$`)
	var out []string
	for name := range t.nodes {
		if m := pattern.FindStringSubmatch(name); m != nil {
			out = append(out, m[1])
		}
	}
	return out
}

// libraries returns the names of the shared libraries.
func (t *tree) libraries() []string {
	found := map[string]bool{}
	for name, n := range t.nodes {
		if b := path.Base(name); n.kind != isDir && isLibrary(b) {
			found[b] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// isLibrary reports whether a name is that of a shared library: libz.so, libz.so.1, ld-musl-x86_64.so.1.
func isLibrary(name string) bool {
	at := strings.Index(name, ".so")
	return at > 0 && (at+3 == len(name) || name[at+3] == '.')
}

// libc finds the C library by the files that state its version. The name is "" if there is none.
func (t *tree) libc() Libc {
	var out Libc
	for _, name := range slices.Sorted(maps.Keys(t.contents)) {
		b := path.Base(name)
		var m [][]byte
		switch {
		case strings.HasPrefix(b, "ld-musl-"):
			out.Name = "musl"
			m = regexp.MustCompile(`\x00([1-9])\.([0-9]{1,3})\.[0-9]{1,3}(?:_git[^\x00]{0,40})?\x00`).FindSubmatch(t.contents[name])
		case strings.HasPrefix(b, "libc.so") || strings.HasPrefix(b, "libc-2."):
			out.Name = "glibc"
			m = regexp.MustCompile(`GNU C Library [^\n]{0,100}version ([0-9])\.([0-9]{1,3})`).FindSubmatch(t.contents[name])
		}
		if m != nil {
			out.Major, _ = strconv.Atoi(string(m[1]))
			out.Minor, _ = strconv.Atoi(string(m[2]))
			return out
		}
	}
	return out
}
