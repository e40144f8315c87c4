// Package glob reads patterns of file names, such as the `glob` of an output, and matches paths against them. It does not read
// a file system: runtime/step finds the files.
//
// `*` and `?` match everything but a slash, `[a-z]` and `[!a-z]` match one character, `{a,b}` matches one of several texts, and
// `**` between slashes matches any number of directories. As in a shell, a name that starts with a dot matches only a pattern that
// starts with a dot.
//
// A letter such as é can be written in two ways. A pattern in one form also matches paths in the other form: see MatchForm.
package glob

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"pipec.dev/pipec/schema/paths"
)

const (
	maxLength = 1024 // maximum length of a pattern in bytes
	maxChoice = 64   // maximum number of patterns without alternatives that a pattern expands to
	deep      = 1 << 20
)

// Pattern is a parsed pattern.
type Pattern struct {
	// Text is the pattern, without a leading "./".
	Text string
	// Dir is the directory that the pattern starts with, cleaned; "." is the working directory of the step. All matches are
	// below it.
	Dir string

	choices []choice
	forms   []choice // choices in Unicode's normal form C; nil: they are in that form
}

// choice is a pattern without alternatives, which a pattern expands to.
type choice struct {
	rest  string   // of the pattern, beneath Dir
	parts []string // of rest, by its slashes, as far as they restrict the directories that contain a match
	depth int      // how many directories beneath Dir a match can be in
	dots  []string // how the names that may start with a dot begin
}

// Fault reports why a text is not a pattern.
type Fault struct {
	Why  string
	Hint string // what to write instead; may be ""
}

func (f *Fault) Error() string { return f.Why }

// Parse parses a pattern. An error is a *Fault.
func Parse(text string) (*Pattern, error) {
	clean := text
	for strings.HasPrefix(clean, "./") {
		clean = strings.TrimLeft(clean[1:], "/")
	}
	if f := check(clean); f != nil {
		return nil, f
	}
	all := expand(clean)
	if len(all) > maxChoice {
		return nil, &Fault{Why: "its alternatives in braces expand to more than 64 patterns"}
	}
	p := &Pattern{Text: clean}
	dir, rest := doublestar.SplitPattern(clean)
	p.Dir = path.Clean(dir)
	for _, one := range all {
		if f := checkParts(clean, one); f != nil {
			return nil, f
		}
		p.choices = append(p.choices, newChoice(one[len(clean)-len(rest):])) // no alternative is before rest
	}
	p.setForms()
	return p, nil
}

// setForms sets forms.
func (p *Pattern) setForms() {
	if paths.ASCII(p.Text) {
		return
	}
	forms, differ := make([]choice, len(p.choices)), false
	for i := range p.choices {
		rest := p.choices[i].rest
		form := paths.Form(rest)
		forms[i] = newChoice(form)
		differ = differ || form != rest
	}
	if differ {
		p.forms = forms
	}
}

func check(text string) *Fault {
	switch {
	case text == "":
		return &Fault{Why: "it is empty", Hint: `name the files that the step writes, such as "plots/*.png"`}
	case len(text) > maxLength:
		return &Fault{Why: "it is longer than 1024 bytes"}
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return &Fault{Why: "it contains a character that no path can contain"}
	case !doublestar.ValidatePattern(text):
		return &Fault{Why: "a bracket or a brace is not closed, or it ends in a backslash", Hint: `write a backslash before [ ] { } * ? to match the character itself`}
	case strings.HasSuffix(text, "/"):
		return &Fault{Why: "it ends in a slash", Hint: `remove the slash: the type of the output declares whether it is a directory`}
	}
	return nil
}

// checkParts checks the texts between the slashes of a pattern without alternatives.
func checkParts(text, one string) *Fault {
	fault := func(why, hint string) *Fault {
		if one != text {
			why = fmt.Sprintf("it expands to %q: %s", one, why)
		}
		return &Fault{Why: why, Hint: hint}
	}
	parts := pieces(one)
	for i, part := range parts {
		switch last := len(parts) - 1; {
		case part == "..":
			return fault("it leaves its directory with ..", `only files below the working directory, or below an absolute path, can be collected`)
		case part == ".":
			return fault("it contains the part .", "remove it")
		case part != "" || i == 0 && i < last && text[0] == '/':
		case one == "":
			return fault("it is empty", "remove the empty alternative, or write the text before and after it")
		case i == last:
			return fault("it ends in a slash", "write the slash in the alternatives that need it")
		case i == 0 && parts[1] != "":
			return fault("it starts with a slash", "write an absolute path before the braces, or the slash in the alternatives that need it")
		default:
			return fault("it has two slashes in a row", "write one")
		}
	}
	return nil
}

// expand returns the patterns without alternatives that a pattern stands for, at most the first maxChoice of them.
func expand(text string) []string {
	var out []string
	var walk func(before, text string)
	walk = func(before, text string) {
		if len(out) > maxChoice {
			return
		}
		open := next(text, "{")
		if open < 0 {
			out = append(out, before+text)
			return
		}
		before, text = before+text[:open], text[open+1:]
		var ends []int // of the alternatives
		for i, depth := 0, 1; depth > 0; i++ {
			i += next(text[i:], "{,}")
			switch {
			case text[i] == '{':
				depth++
				continue
			case text[i] == '}':
				depth--
			}
			if text[i] == ',' && depth == 1 || depth == 0 {
				ends = append(ends, i)
			}
		}
		after, from := text[ends[len(ends)-1]+1:], 0
		for _, end := range ends {
			walk(before, text[from:end]+after)
			from = end + 1
		}
	}
	walk("", text)
	return out
}

// pieces returns the texts between the slashes of a pattern without alternatives.
func pieces(text string) []string {
	var out []string
	for {
		i := next(text, "/")
		if i < 0 {
			return append(out, text)
		}
		out, text = append(out, text[:i]), text[i+1:]
	}
}

// next returns the index of the first of some characters that is neither in a class nor escaped, or -1.
func next(text, chars string) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '[':
			i += class(text[i:])
		case strings.IndexByte(chars, c) >= 0:
			return i
		}
	}
	return -1
}

// class returns how many bytes a [class] has after its bracket.
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

// literal returns the text with which every match of a part begins.
func literal(part string) string {
	if i := strings.IndexAny(part, `*?[\`); i >= 0 {
		return part[:i]
	}
	return part
}

// newChoice returns the choice with a rest.
func newChoice(rest string) choice {
	c := choice{rest: rest}
	for _, part := range pieces(c.rest) {
		if strings.HasPrefix(part, ".") {
			c.dots = append(c.dots, literal(part))
		}
	}
	c.lay()
	return c
}

// lay computes which directories can hold a match.
func (c *choice) lay() {
	c.depth = strings.Count(c.rest, "/")
	escaped := strings.Contains(c.rest, `\`) // it may be a slash
	for part := range strings.SplitSeq(c.rest, "/") {
		if strings.Contains(part, "**") {
			c.depth = deep
			return
		}
		if !escaped {
			c.parts = append(c.parts, part)
		}
	}
}

// Match reports whether a path below Dir matches the pattern, byte for byte.
func (p *Pattern) Match(rel string) bool { return match(p.choices, rel) }

// MatchForm reports whether a path below Dir matches the pattern if both are in Unicode's normal form C.
func (p *Pattern) MatchForm(rel string) bool {
	form, choices := p.form(rel)
	return match(choices, form)
}

func match(choices []choice, rel string) bool {
	for i := range choices {
		if c := &choices[i]; c.shown(rel) && doublestar.MatchUnvalidated(c.rest, rel) {
			return true
		}
	}
	return false
}

// form returns a path and the choices in form C.
func (p *Pattern) form(rel string) (string, []choice) {
	if p.forms != nil {
		return paths.Form(rel), p.forms
	}
	return paths.Form(rel), p.choices
}

// Enter reports whether the directory rel below Dir can hold a match, in either form.
func (p *Pattern) Enter(rel string) bool {
	if enter(p.choices, rel) {
		return true
	}
	form, choices := p.form(rel)
	return (form != rel || p.forms != nil) && enter(choices, form)
}

func enter(choices []choice, rel string) bool {
	names := strings.Split(rel, "/")
	for i := range choices {
		if choices[i].enter(rel, names) {
			return true
		}
	}
	return false
}

func (c *choice) enter(rel string, names []string) bool {
	if len(names) > c.depth || !c.shown(rel) {
		return false
	}
	for i, name := range names {
		if i < len(c.parts) && !doublestar.MatchUnvalidated(c.parts[i], name) {
			return false
		}
	}
	return true
}

// shown reports whether each name in a path that starts with a dot is matched by a part that starts with a dot.
func (c *choice) shown(rel string) bool {
	if rel[0] != '.' && !strings.Contains(rel, "/.") {
		return true
	}
	for name := range strings.SplitSeq(rel, "/") {
		if strings.HasPrefix(name, ".") && !c.says(name) {
			return false
		}
	}
	return true
}

func (c *choice) says(name string) bool {
	for _, dot := range c.dots {
		if strings.HasPrefix(name, dot) {
			return true
		}
	}
	return false
}
