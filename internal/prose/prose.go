// Package prose finds words in the repository's own text that docs/style.md asks writers to avoid: in comments, in string
// literals of Go, in Markdown, in comments of scripts and in what txtar files explain. words.txt lists the words, and its test
// fails with the file, the line, the word and a better word.
//
// The package checks words only. It knows nothing of grammar, and it does not read code: fenced blocks, `code spans`, identifiers and
// names of files are skipped.
package prose

import (
	"fmt"
	"regexp"
	"strings"
)

// A Word is one entry of the word list.
type Word struct {
	find   *regexp.Regexp
	unless *regexp.Regexp // nil if the word is never right
	parts  []string       // each match contains one of them; searching for them first is much faster
	Better string
}

// ReadWords reads a word list. Each line has a regular expression, "=>" and the better words; "unless" and a second regular
// expression may follow, which matches the longer phrases in which the word is right. Empty lines and lines that begin with # are
// skipped. Expressions are in lower case, and match text in any case. A space in an expression matches any white space, so that
// phrases are found across lines.
func ReadWords(list string) ([]Word, error) {
	var words []Word
	for i, line := range strings.Split(list, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pattern, rest, ok := strings.Cut(line, "=>")
		if !ok {
			return nil, fmt.Errorf("line %d: expected \"word => better word\", found %q", i+1, line)
		}
		better, unless, _ := strings.Cut(rest, " unless ")
		w := Word{Better: strings.TrimSpace(better)}
		var err error
		if w.find, err = compile(pattern); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if w.parts, err = required(w.find.String()); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if unless != "" {
			if w.unless, err = compile(unless); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		}
		words = append(words, w)
	}
	return words, nil
}

func compile(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(`\b(?:` + strings.ReplaceAll(strings.TrimSpace(pattern), " ", `\s+`) + `)\b`)
}

// A Finding is one use of a listed word.
type Finding struct {
	Line   int // counted from 1
	Found  string
	Better string
}

// A Checker finds the words of a list. It is safe for concurrent use.
type Checker struct{ words []Word }

// NewChecker returns a Checker for the words.
func NewChecker(words []Word) *Checker { return &Checker{words: words} }

// Check returns the uses of listed words in a file, in order of the list. The name of the file selects how its text is read.
func (c *Checker) Check(name string, content []byte) ([]Finding, error) {
	texts, err := Texts(name, content)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, t := range texts {
		t.Text = lower(t.Text)
		for _, w := range c.words {
			if w.possible(t.Text) {
				found = append(found, w.in(t)...)
			}
		}
	}
	return found, nil
}

// lower returns text with ASCII letters in lower case. Unlike strings.ToLower, it never changes the length.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

func (w Word) in(t Text) []Finding {
	var right [][]int
	if w.unless != nil {
		right = w.unless.FindAllStringIndex(t.Text, -1)
	}
	var found []Finding
matches:
	for _, m := range w.find.FindAllStringIndex(t.Text, -1) {
		if isIdentifier(t.Text, m[0], m[1]) {
			continue
		}
		for _, r := range right {
			if r[0] <= m[0] && m[1] <= r[1] || m[0] <= r[0] && r[1] <= m[1] {
				continue matches
			}
		}
		found = append(found, Finding{
			Line:   t.Line + strings.Count(t.Text[:m[0]], "\n"),
			Found:  strings.Join(strings.Fields(t.Text[m[0]:m[1]]), " "),
			Better: w.Better,
		})
	}
	return found
}

// isIdentifier reports whether text[from:to] is part of a longer name: a path, a selector, a flag or a call.
func isIdentifier(text string, from, to int) bool {
	if from > 0 && strings.IndexByte("._/-$@", text[from-1]) >= 0 {
		return true
	}
	if to < len(text) && strings.IndexByte("_/(-=@", text[to]) >= 0 {
		return true
	}
	return to+1 < len(text) && text[to] == '.' && text[to+1] != ' ' && text[to+1] != '\n' && text[to+1] != ')' && text[to+1] != '"'
}
