package yaml

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
)

// unreadable converts the library's error about a file that is not YAML to a diagnostic. The most common mistake is text
// without necessary quotes; the text at the position shows which.
func (p *places) unreadable(err error) diag.Diagnostic {
	var fault *lib.LoadError
	if !errors.As(err, &fault) {
		return diag.New("syntax", p.at(0, 0), "this file can't be read as YAML: %v", err)
	}
	at := p.offset(fault.Mark.Line, fault.Mark.Column)
	if fault.Mark.Line < 1 {
		at = p.control()
	}
	d := diag.New("syntax", p.at(at, min(at+1, len(p.src))), "%s", sentence(fault.Message))
	if fault.ContextMark.Line > 0 && fault.ContextMark != fault.Mark {
		from := p.offset(fault.ContextMark.Line, fault.ContextMark.Column)
		what := strings.TrimPrefix(strings.TrimPrefix(fault.ContextMsg, "while parsing "), "while scanning ")
		d = d.WithRelated(p.at(from, min(from+1, len(p.src))), "%s starts here", what)
	}
	return p.explain(d, fault, at)
}

// control returns the position of the first character that is not allowed in a file.
func (p *places) control() int {
	at := bytes.IndexFunc(p.src, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85
	})
	return max(at, 0)
}

// firstWord returns the text before the next blank.
func firstWord(line []byte) []byte {
	if i := bytes.IndexAny(line, " \t,]}"); i >= 0 {
		return line[:i]
	}
	return line
}

func sentence(s string) string {
	s = strings.TrimPrefix(s, "yaml: ")
	s, _, _ = strings.Cut(s, "\n")
	return s
}

var openInterpolation = regexp.MustCompile(`[$%]\{`)

// explain adds a suggestion for the most common mistakes.
func (p *places) explain(d diag.Diagnostic, fault *lib.LoadError, at int) diag.Diagnostic {
	start, end := at, p.endOfLine(at)
	for start > 0 && breakAt(p.src, start-1) == 0 {
		start--
	}
	before, after := p.src[start:at], p.src[at:end]
	flow := strings.Contains(fault.ContextMsg, "flow")
	switch {
	case bytes.HasPrefix(after, []byte("\t")) || strings.Contains(fault.Message, "tab character"):
		d.Summary = "found a tab, but YAML requires spaces here"
		return d.WithSuggestion("indent with spaces")
	case strings.Contains(fault.Message, "did not find expected key") && bytes.ContainsAny(before, `"'`),
		len(before) > 0 && bytes.IndexByte([]byte("\"'"), before[len(before)-1]) >= 0 && !strings.Contains(fault.ContextMsg, "quoted"):
		d.Summary = "there is text after the closing quote"
		d.Related = nil
		d = d.WithDetail(`In "…" a quote is written \", and in '…' as ''.`)
		return d.WithSuggestion(`for an expression with quotes in it, write '${…}'`)
	case strings.HasPrefix(fault.Message, "found character that cannot start any token") && len(after) > 0:
		d.Summary = "text that starts with " + string(after[:1]) + " must be in quotes"
		return quoteIt(d, p, at, end)
	case strings.HasPrefix(fault.Message, "unknown anchor"):
		d.Summary = "the alias " + string(firstWord(after)) + " names no anchor of the file"
		d = d.WithDetail("Text that starts with * is an alias: it repeats the value that is marked with & and the same name.")
		return quoteIt(d, p, at, end)
	case flow && openInterpolation.Match(p.src[start:min(at+1, end)]):
		d.Summary = "a { in a list or map between brackets starts a map"
		d = d.WithDetail("Text with ${…} must be in quotes there.")
		return d.WithSuggestion(`write "${…}"`)
	case flow && len(after) > 0 && strings.ContainsRune("{[", rune(after[0])) && len(before) > 0 && !strings.ContainsRune(" \t,:{[", rune(before[len(before)-1])):
		d.Summary = "text with a " + string(after[:1]) + " in it must be in quotes between brackets"
		d = d.WithSuggestion("quote it")
		if from, to := flowText(p.src, start, at, end); to > from && !bytes.ContainsAny(p.src[from:to], "\"\\\t") && strings.IndexByte("'&*!|>%@`", p.src[from]) < 0 {
			text := string(p.src[from:to])
			d = d.WithFix(p.at(from, to), `"`+text+`"`).WithSuggestion(`quote it: "%s"`, text)
		}
		return d
	case flow && fault.ContextMark.Line > 0 && fault.ContextMark.Line != fault.Mark.Line:
		d.Summary = "this bracket is never closed"
		d.Code = "unclosed"
		from := p.offset(fault.ContextMark.Line, fault.ContextMark.Column)
		d.Range, d.Related = p.at(from, from+1), nil
		return d.WithRelated(p.at(at, min(at+1, len(p.src))), "the parser stopped here")
	case strings.Contains(fault.Message, "unexpected end of stream") && strings.Contains(fault.ContextMsg, "quoted"),
		strings.Contains(fault.Message, "unexpected document indicator"):
		from := p.offset(fault.ContextMark.Line, fault.ContextMark.Column)
		d.Code, d.Summary, d.Range, d.Related = "unclosed", "this quote is never closed", p.at(from, from+1), nil
		return d
	case strings.Contains(fault.Message, "mapping values are not allowed"):
		d.Summary = "a colon and a space start the value of a name, but there is no name before them"
		if openInterpolation.Match(before) {
			d = d.WithDetail("Text with a colon and a space in it must be in quotes.")
			return d.WithSuggestion(`quote it: '${…}'`)
		}
		return d.WithSuggestion("quote it if the colon is part of the text; otherwise check the indentation")
	case strings.Contains(fault.Message, "did not find expected"):
		d.Summary = "this line fits neither the line before nor the indentation around it"
		return d.WithSuggestion("check the indentation; text that contains : or # or starts with a special character must be in quotes")
	case strings.Contains(fault.Message, "unknown escape"):
		d.Summary = "there is no escape " + string(p.src[at:min(at+2, len(p.src))])
		return d.WithSuggestion(`write \\ for a backslash, or use '…'`)
	case strings.Contains(fault.Message, "invalid Unicode character escape"):
		d.Summary = "this escape is not a character"
		d = d.WithDetail(`A character outside of Unicode's first plane is one escape, "\U0001f600", or a pair of surrogates as in JSON, "\ud83d\ude00".`)
	case strings.Contains(fault.Message, "control characters"):
		d.Summary = "the file contains a control character"
	}
	return d
}

// flowText returns the range of the text between brackets that has a bracket of its own at a position, as long as its
// brackets match. The range is empty if they don't. Blanks are part of it.
func flowText(src []byte, start, at, end int) (from, to int) {
	for from = at; from > start && strings.IndexByte(",{[", src[from-1]) < 0 && (src[from-1] != ':' || src[from] != ' '); {
		from--
	}
	for from < at && src[from] == ' ' {
		from++
	}
	depth := 0
	for to = from; to < end; to++ {
		switch c := src[to]; {
		case strings.IndexByte("({[", c) >= 0:
			depth++
		case depth == 0 && strings.IndexByte(",}]", c) >= 0:
			return from, len(bytes.TrimRight(src[:to], " \t"))
		case c == '#' && src[to-1] == ' ', depth == 0 && c == ')': // a comment, or an unmatched bracket
			return at, at
		case strings.IndexByte(")}]", c) >= 0:
			depth--
		}
	}
	return at, at
}

// quoteIt suggests quotes around the rest of the line. The fix is certain if nothing in the rest has a special meaning.
func quoteIt(d diag.Diagnostic, p *places, at, end int) diag.Diagnostic {
	d = d.WithSuggestion("quote it")
	rest := bytes.TrimRight(p.src[at:end], " \t")
	if len(rest) > 0 && !bytes.ContainsAny(rest, "\"'\\#,]}") && !bytes.Contains(rest, []byte(": ")) {
		d = d.WithFix(p.at(at, at+len(rest)), `"`+string(rest)+`"`).WithSuggestion(`quote it: "%s"`, rest)
	}
	return d
}

// plainSafe reports whether a text can be a value without quotes.
func plainSafe(s string) bool {
	return s != "" && !strings.ContainsAny(s, "\n\t#") && !strings.Contains(s, ": ") && !strings.ContainsAny(s[:1], "{}[],&*?|-<>=!%@`\"' ")
}
