package ignore

import (
	"path"
	"regexp"
	"strings"

	"pipec.dev/pipec/schema/paths"
)

// rule is one pattern.
type rule struct {
	negated  bool // it takes in again what an earlier rule leaves out
	dirs     bool // it is for directories only
	anchored bool // it is for whole paths, and not for names at any depth
	forms    []*regexp.Regexp
}

// parse reads a line of a file. It returns nil for a line that matches nothing.
func parse(line string) *rule {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	line = trimSpaces(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	r := &rule{}
	if line[0] == '!' {
		r.negated, line = true, line[1:]
	}
	if strings.HasSuffix(line, "/") {
		r.dirs, line = true, line[:len(line)-1]
	}
	r.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return nil
	}
	for _, form := range []string{line, paths.Form(line)} {
		text, ok := translate(form)
		if !ok {
			return nil
		}
		one, err := regexp.Compile(text)
		if err != nil {
			return nil // such as a range that ends before it begins, which matches nothing in git either
		}
		if r.forms = append(r.forms, one); paths.ASCII(line) {
			break
		}
	}
	return r
}

// trimSpaces removes spaces from the end of a line, unless there is a backslash before them.
func trimSpaces(line string) string {
	end := len(line)
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			end = min(end, i)
		case '\\':
			i++
			end = len(line)
		default:
			end = len(line)
		}
	}
	return line[:end]
}

// matches reports whether the rule is about a path, relative to the directory of the rule's file.
func (r *rule) matches(name string, isDir bool) bool {
	if r.dirs && !isDir {
		return false
	}
	if !r.anchored {
		name = path.Base(name)
	}
	for _, form := range r.forms {
		if form.MatchString(name) {
			return true
		}
	}
	return false
}

// translate translates a pattern to a regular expression. It returns false for a pattern that matches nothing.
func translate(pattern string) (string, bool) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(pattern); {
		switch c := pattern[i]; c {
		case '*':
			end := i + 1
			for end < len(pattern) && pattern[end] == '*' {
				end++
			}
			first, last := i == 0 || pattern[i-1] == '/', end == len(pattern)
			switch {
			case end-i > 1 && first && last:
				b.WriteString(`.*`)
			case end-i > 1 && first && pattern[end] == '/':
				b.WriteString(`(?:.*/)?`)
				end++
			default:
				b.WriteString(`[^/]*`)
			}
			i = end
		case '?':
			b.WriteString(`[^/]`)
			i++
		case '[':
			text, end, ok := class(pattern, i)
			if !ok {
				return "", false
			}
			b.WriteString(text)
			i = end
		case '\\':
			if i++; i == len(pattern) {
				return "", false
			}
			fallthrough
		default:
			end := i + 1
			for end < len(pattern) && !strings.ContainsRune(`*?[\`, rune(pattern[end])) {
				end++
			}
			b.WriteString(regexp.QuoteMeta(pattern[i:end]))
			i = end
		}
	}
	b.WriteString(`\z`)
	return b.String(), true
}
