package lint

import (
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// yamlComments finds the comments of YAML: a # at the beginning of a line or after a space, outside of quotes and blocks of
// text. Parsers of YAML attach comments to nodes and lose their positions, but an ignoring comment is about a line.
func yamlComments(name string, src []byte) []Comment {
	var out []Comment
	s := yamlScanner{block: -1}
	offset, number := 0, 0
	for line := range strings.Lines(string(src)) {
		number++
		text := strings.TrimRight(line, "\r\n")
		if at := s.line(text); at >= 0 {
			start := hcl.Pos{Line: number, Column: utf8.RuneCountInString(text[:at]) + 1, Byte: offset + at}
			end := hcl.Pos{Line: number, Column: utf8.RuneCountInString(text) + 1, Byte: offset + len(text)}
			out = append(out, Comment{
				Text: bare(text[at:]), Range: hcl.Range{Filename: name, Start: start, End: end}, Alone: strings.TrimSpace(text[:at]) == "",
			})
		}
		offset += len(line)
	}
	return out
}

// yamlScanner keeps, between lines, whether a text continues.
type yamlScanner struct {
	quote byte // ' or " if a quote is open
	block int  // the column that a block of text is indented beyond; -1 without one
}

// line reads a line and returns where its comment begins; -1 if it has none.
func (s *yamlScanner) line(text string) int {
	indent := len(text) - len(strings.TrimLeft(text, " "))
	if s.block >= 0 {
		if indent > s.block || strings.TrimSpace(text) == "" {
			return -1
		}
		s.block = -1
	}
	at := s.comment(text)
	content := text
	if at >= 0 {
		content = text[:at]
	}
	if s.quote == 0 {
		s.header(strings.TrimRight(content, " \t"), indent)
	}
	return at
}

// comment finds where a comment begins, and whether a quote is open at the end of the line.
func (s *yamlScanner) comment(text string) int {
	before := byte(' ') // the beginning of a line counts as a space
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case s.quote == '"' && c == '\\':
			i++
		case s.quote != 0 && c == s.quote: // two '' close and open again
			s.quote = 0
			if i+1 < len(text) && c == '\'' && text[i+1] == c {
				s.quote = c
				i++
			}
		case s.quote != 0:
		case c == '#' && (before == ' ' || before == '\t'):
			return i
		case (c == '"' || c == '\'') && strings.IndexByte(" \t[{,", before) >= 0:
			s.quote = c
		}
		before = c
	}
	return -1
}

// header detects a line that ends with the header of a block of text, | or >.
func (s *yamlScanner) header(content string, indent int) {
	word := content[strings.LastIndexAny(content, " \t")+1:]
	if word == "" || word[0] != '|' && word[0] != '>' || strings.Trim(word[1:], "+-123456789") != "" {
		return
	}
	for strings.HasPrefix(content[indent:], "- ") && strings.TrimLeft(content[indent+1:], " ") != word {
		indent += len(content[indent:]) - len(strings.TrimLeft(content[indent+1:], " "))
	}
	s.block = indent
}
