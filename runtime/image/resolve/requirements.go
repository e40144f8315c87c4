package resolve

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/wheel"
)

func pathUnescape(s string) (string, error) { return url.PathUnescape(s) }

// Limits of a requirements file.
const (
	maxFile   = 32 << 20
	maxNested = 10 // files that include each other
)

// line is a logical line of a requirements file.
type line struct {
	file string
	n    int // from 1
	text string
}

func (l line) fault(format string, args ...any) error {
	return &Error{File: l.file, Line: l.n, Text: fmt.Sprintf(format, args...)}
}

// source is what requirements files state beside requirements.
type source struct {
	indexes, findLinks []string
	lines              []line
	seen               map[string]string // the texts of files that were read; may be nil
}

// requirements reads a requirements file in which each requirement has a version and hashes.
func (f *finder) requirements(name string) ([]Package, error) {
	s := &source{}
	if f.request.Index != "" || len(f.request.ExtraIndexes) > 0 {
		s.indexes = f.indexes()
	}
	if err := s.read(f.request.Dir, name, 0); err != nil {
		return nil, err
	}
	return f.locked(s)
}

// locked resolves the lines of a source.
func (f *finder) locked(s *source) ([]Package, error) {
	if len(s.indexes) == 0 {
		s.indexes = f.indexes()
	}
	s.findLinks = append(s.findLinks, f.request.FindLinks...)
	var out []Package
	for _, l := range s.lines {
		p, ok, err := f.lockedLine(l, s)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// read collects the lines of a file, and of the files that it includes.
func (s *source) read(dir, name string, depth int) error {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return &Error{File: name, Text: "is outside the project"}
	}
	data, err := readFile(dir, name)
	if err != nil {
		return err
	}
	if s.seen != nil {
		s.seen[name] = data
	}
	return s.parse(dir, name, data, depth)
}

func readFile(dir, name string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(name))
	switch {
	case err != nil:
		return "", &Error{File: name, Text: "can't be read: " + err.Error()}
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return "", &Error{File: name, Text: fmt.Sprintf("is not a file of at most %d bytes", maxFile)}
	}
	data, err := root.ReadFile(filepath.FromSlash(name))
	if err != nil {
		return "", &Error{File: name, Text: "can't be read: " + err.Error()}
	}
	return strings.ToValidUTF8(strings.TrimPrefix(string(data), "\ufeff"), "?"), nil
}

func (s *source) parse(dir, name, data string, depth int) error {
	var text strings.Builder
	start := 0
	lines := strings.Split(strings.ReplaceAll(data, "\r\n", "\n"), "\n")
	for i, raw := range lines {
		if start == 0 {
			start = i + 1
		}
		if strings.HasPrefix(strings.TrimSpace(raw), "#") {
			raw = ""
		}
		if at := strings.Index(raw, " #"); at >= 0 {
			raw = raw[:at]
		}
		if rest, ok := strings.CutSuffix(raw, "\\"); ok && i+1 < len(lines) {
			text.WriteString(rest)
			continue
		}
		text.WriteString(raw)
		l := line{name, start, strings.TrimSpace(text.String())}
		text.Reset()
		start = 0
		if l.text == "" {
			continue
		}
		if !strings.HasPrefix(l.text, "-") {
			s.lines = append(s.lines, l)
			continue
		}
		if err := s.option(dir, l, depth); err != nil {
			return err
		}
	}
	return nil
}

// option reads a line with an option.
func (s *source) option(dir string, l line, depth int) error {
	name, value, _ := strings.Cut(strings.Replace(l.text, "=", " ", 1), " ")
	value = strings.TrimSpace(value)
	switch name {
	case "-r", "--requirement":
		if depth >= maxNested {
			return l.fault("more than %d files include each other", maxNested)
		}
		return s.read(dir, path.Join(path.Dir(l.file), value), depth+1)
	case "-i", "--index-url":
		s.indexes = slices.Insert(s.indexes, 0, value)
	case "--extra-index-url":
		if len(s.indexes) == 0 {
			s.indexes = []string{defaultIndex}
		}
		s.indexes = append(s.indexes, value)
	case "-f", "--find-links":
		s.findLinks = append(s.findLinks, value)
	case "--require-hashes", "--only-binary", "--prefer-binary", "--pre":
	case "-e", "--editable":
		return l.fault("%q is an editable project; %s", value, wayOut)
	default:
		return l.fault("the option %s is not supported", name)
	}
	return nil
}

// requirementPattern matches NAME [EXTRAS] REST.
var requirementPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)$`)
})

// lockedLine resolves one requirement. ok is false if its marker is false.
func (f *finder) lockedLine(l line, s *source) (p Package, ok bool, err error) {
	text, hashes := l.text, []string(nil)
	for {
		at := strings.LastIndex(text, " --")
		if at < 0 {
			break
		}
		kind, value, _ := strings.Cut(strings.TrimSpace(text[at:]), "=")
		algorithm, sum, _ := strings.Cut(strings.TrimSpace(value), ":")
		if kind != "--hash" {
			return p, false, l.fault("the option %s is not supported", kind)
		}
		if algorithm == "sha256" {
			hashes = append(hashes, strings.ToLower(sum))
		}
		text = strings.TrimSpace(text[:at])
	}
	m := requirementPattern().FindStringSubmatch(text)
	if m == nil || strings.Contains(text, "git+") {
		return p, false, l.fault("%.200q is not a requirement with a version; %s", text, wayOut)
	}
	rest, marker, _ := strings.Cut(m[3], ";")
	if strings.HasPrefix(m[3], "@") { // an address may contain a semicolon
		rest, marker, _ = strings.Cut(m[3], " ;")
	}
	if ok, err = f.request.Target.Evaluate(marker, packaging.Extras{}); err != nil {
		return p, false, l.fault("%v", err)
	}
	if !ok {
		return p, false, nil
	}
	pin := pinned{name: wheel.NormalName(m[1]), hashes: hashes}
	if len(hashes) == 0 {
		return p, false, l.fault("%s has no --hash=sha256:…: a lock needs one for each file; `pip-compile --generate-hashes` writes them", pin.name)
	}
	if address, isURL := strings.CutPrefix(strings.TrimSpace(rest), "@"); isURL {
		p, err = f.fromURL(pin, strings.TrimSpace(address), 0)
		return p, err == nil, err
	}
	version, exact := strings.CutPrefix(strings.TrimSpace(rest), "==")
	if pin.version = strings.TrimSpace(strings.TrimPrefix(version, "=")); !exact || strings.ContainsAny(pin.version, ",*<>!~ ") {
		return p, false, l.fault("%s has no exact version: a lock needs %s==VERSION", pin.name, pin.name)
	}
	p, err = f.find(pin, s.indexes, s.findLinks)
	return p, err == nil, err
}

// userinfo matches the credentials of an address.
var userinfo = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^/\s]+@`)
})
