// Package glob says what a pattern of file names means: `glob` of an output. It reads a pattern, refuses what none can be,
// and matches paths. It looks at no file system: runtime/step finds the files.
//
// `*` and `?` stand for what has no slash, `[a-z]` and `[!a-z]` for a character, `{a,b}` for one of several, and `**`
// between slashes for any number of directories. What starts with a dot matches only what says the dot, as in a shell.
package glob

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

const (
	maxLength = 1024 // bytes of a pattern
	maxChoice = 64   // patterns that its alternatives stand for
	deep      = 1 << 20
)

// Pattern is a pattern that was read.
type Pattern struct {
	// Text is the pattern, without a "./" before it.
	Text string
	// Dir is the part of it that names one directory, clean; "." is where the step starts. Matches are beneath it.
	Dir string

	rest  string
	parts []string // of rest, by its slashes, as far as they tell which directories hold a match
	depth int      // how many directories beneath Dir a match can be in
	dots  []string // how the names that may start with a dot begin
}

// Fault says why a text is no pattern.
type Fault struct {
	Why  string
	Hint string // what to write; may be ""
}

func (f *Fault) Error() string { return f.Why }

// Parse reads a pattern. The error is a *Fault.
func Parse(text string) (*Pattern, error) {
	clean := text
	for strings.HasPrefix(clean, "./") {
		clean = strings.TrimLeft(clean[1:], "/")
	}
	if f := check(clean); f != nil {
		return nil, f
	}
	p := &Pattern{Text: clean}
	dir, rest := doublestar.SplitPattern(clean)
	p.Dir, p.rest = path.Clean(dir), rest
	for _, part := range pieces(clean) {
		if strings.HasPrefix(part, ".") {
			p.dots = append(p.dots, literal(part))
		}
	}
	p.lay()
	return p, nil
}

func check(text string) *Fault {
	switch {
	case text == "":
		return &Fault{Why: "it is empty", Hint: `name the files that the step leaves, such as "plots/*.png"`}
	case len(text) > maxLength:
		return &Fault{Why: "it is longer than 1024 bytes"}
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return &Fault{Why: "it holds a character that no path can have"}
	case !doublestar.ValidatePattern(text):
		return &Fault{Why: "a bracket or a brace is not closed, or it ends in a backslash", Hint: `a backslash before [ ] { } * ? takes it as it is`}
	case strings.HasSuffix(text, "/"):
		return &Fault{Why: "it ends in a slash", Hint: `leave the slash out: the type says whether a directory is meant`}
	}
	for i, part := range pieces(text) {
		switch part {
		case "..":
			return &Fault{Why: "it leads up with ..", Hint: `only what is beneath the working directory, or beneath an absolute path, can be taken`}
		case ".":
			return &Fault{Why: "it has the part .", Hint: "leave it out"}
		case "":
			if i > 0 && strings.Contains(text, "//") {
				return &Fault{Why: "it has two slashes in a row", Hint: "write one"}
			}
		}
	}
	if choices(text) > maxChoice {
		return &Fault{Why: "its alternatives in braces stand for more than 64 patterns"}
	}
	return nil
}

// pieces are what stands between slashes, braces and commas in braces.
func pieces(text string) []string {
	var out []string
	from, depth := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
			continue
		case c == '[':
			i += class(text[i:])
			continue
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == '/', c == ',' && depth > 0:
		default:
			continue
		}
		out = append(out, text[from:i])
		from = i + 1
	}
	return append(out, text[from:])
}

// class is how many bytes a [class] has after its bracket.
func class(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ']':
			return i
		}
	}
	return len(text)
}

// choices is how many patterns a pattern with alternatives stands for, or more.
func choices(text string) int {
	total, here, depth := 1, 1, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '[':
			i += class(text[i:])
		case c == '{':
			depth++
		case c == ',' && depth > 0:
			here++
		case c == '}':
			if depth--; depth == 0 {
				total, here = min(total*here, deep), 1
			}
		}
	}
	return total
}

// literal is how all begins that a part of a pattern matches.
func literal(part string) string {
	if i := strings.IndexAny(part, `*?[\`); i >= 0 {
		return part[:i]
	}
	return part
}

// lay finds which directories can hold a match.
func (p *Pattern) lay() {
	p.depth = strings.Count(p.rest, "/")
	alternatives := strings.ContainsAny(p.rest, `{\`)
	for part := range strings.SplitSeq(p.rest, "/") {
		if strings.Contains(part, "**") {
			p.depth = deep
			return
		}
		if alternatives { // they may hold slashes
			continue
		}
		p.parts = append(p.parts, part)
	}
}

// Match says whether a path beneath Dir is one of the pattern's.
func (p *Pattern) Match(rel string) bool {
	return p.shown(rel) && doublestar.MatchUnvalidated(p.rest, rel)
}

// Enter says whether there may be a match in the directory rel beneath Dir.
func (p *Pattern) Enter(rel string) bool {
	names := strings.Split(rel, "/")
	if len(names) > p.depth || !p.shown(rel) {
		return false
	}
	for i, name := range names {
		if i < len(p.parts) && !doublestar.MatchUnvalidated(p.parts[i], name) {
			return false
		}
	}
	return true
}

// shown says whether no name in a path starts with a dot that the pattern doesn't say.
func (p *Pattern) shown(rel string) bool {
	if rel[0] != '.' && !strings.Contains(rel, "/.") {
		return true
	}
	for name := range strings.SplitSeq(rel, "/") {
		if strings.HasPrefix(name, ".") && !p.says(name) {
			return false
		}
	}
	return true
}

func (p *Pattern) says(name string) bool {
	for _, dot := range p.dots {
		if strings.HasPrefix(name, dot) {
			return true
		}
	}
	return false
}
