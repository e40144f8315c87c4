package diag

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
)

// Two attributes on one line, a block on one line, words of other languages: causes of HCL's "missing newline".

var (
	startsItem = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*[ \t]*(=[^=]|\{|"[^"]*"[ \t]*(\{|"))`)
	unit       = regexp.MustCompile(`^[A-Za-zµ]+([0-9.]+[A-Za-zµ]+)*`)
	number     = regexp.MustCompile(`[0-9][0-9.]*$`)
	word       = regexp.MustCompile(`^[a-z]+\b`)
	name       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*`)
	lastWord   = regexp.MustCompile(`\b([a-z]+)[ \t]+$`)
)

// around returns the text of the line before and after an offset.
func (s *source) around(offset int) (before, after []byte) {
	start, end := s.bounds(s.line(offset))
	offset = min(max(offset, start), end)
	// A long line is not read completely for each fault in it.
	return s.text[max(start, offset-400):offset], s.text[offset:min(end, offset+400)]
}

// near returns a range of n bytes on the line of pos, counted from it. Columns are right for ASCII, and only ASCII text is
// fixed here.
func near(r hcl.Range, pos hcl.Pos, from, to int) hcl.Range {
	r.Start = hcl.Pos{Line: pos.Line, Column: pos.Column + from, Byte: pos.Byte + from}
	r.End = hcl.Pos{Line: pos.Line, Column: pos.Column + to, Byte: pos.Byte + to}
	return r
}

// afterArgument handles what HCL calls a missing newline.
func afterArgument(d *Diagnostic, h *hcl.Diagnostic, src *source) {
	before, after := src.around(src.offset(d.Range.Start))
	if n := number.Find(before); n != nil {
		if u := unit.Find(after); u != nil {
			text := string(n) + string(u)
			d.Code, d.Summary, d.Detail = "syntax", fmt.Sprintf("%s is not a number", text), "A number with a unit is text, which must be in quotes."
			d.Suggestion = fmt.Sprintf("write %q", text)
			*d = d.WithFix(near(d.Range, d.Range.Start, -len(n), len(u)), fmt.Sprintf("%q", text))
			return
		}
	}
	if m := lastWord.FindSubmatch(before); m != nil && string(m[1]) == "not" {
		d.Code, d.Summary, d.Detail, d.Suggestion = "syntax", "there is no operator \"not\"", "", `write "!" for "not"`
		return
	}
	switch w := string(word.Find(after)); w {
	case "and", "or":
		sign := map[string]string{"and": "&&", "or": "||"}[w]
		d.Code, d.Summary, d.Detail = "syntax", fmt.Sprintf("there is no operator %q", w), ""
		d.Suggestion = fmt.Sprintf("did you mean %q?", sign)
		*d = d.WithFix(near(d.Range, d.Range.Start, 0, len(w)), sign)
		return
	}
	if startsItem.Match(after) {
		d.Summary, d.Detail = "two attributes or blocks are on one line", "Each attribute and each block must start on a line of its own."
		newLineHere(d, h, src)
		return
	}
	d.Code, d.Summary = "syntax", "the value should end here"
	d.Detail = "After an attribute's value its line must end. Write text in quotes."
}

// newLineHere suggests a new line before the text at the range, with the indent of the current line.
func newLineHere(d *Diagnostic, _ *hcl.Diagnostic, src *source) {
	at := src.offset(d.Range.Start)
	before, after := src.around(at)
	start, _ := src.bounds(src.line(at))
	d.Detail = "Each attribute and each block starts a line of its own."
	d.Suggestion = "start a new line here"
	if n := name.Find(after); n != nil {
		d.Suggestion = fmt.Sprintf("start a new line before %q", n)
	}
	if len(before) < at-start || d.Range.Start.Byte != at {
		return // the line's own indent is too far away to look at
	}
	blanks := len(before) - len(bytes.TrimRight(before, " \t"))
	indent := before[:len(before)-len(bytes.TrimLeft(before, " \t"))]
	*d = d.WithFix(near(d.Range, d.Range.Start, -blanks, 0), "\n"+string(indent))
}

// commaBetween takes the comma away: what follows is on its own line, or is found next.
func commaBetween(d *Diagnostic, _ *hcl.Diagnostic, src *source) {
	_, after := src.around(src.offset(d.Range.Start))
	if !bytes.HasPrefix(after, []byte(",")) {
		return
	}
	d.Detail = "Attributes are separated by new lines, not by commas."
	if len(bytes.TrimSpace(after[1:])) == 0 {
		d.Suggestion = "remove the comma"
		*d = d.WithFix(near(d.Range, d.Range.Start, 0, 1), "")
		return
	}
	d.Suggestion = "start a new line in place of the comma"
}

// spreadBlock shows how a block on one line is written over several. The content of its braces is kept.
func spreadBlock(d *Diagnostic, _ *hcl.Diagnostic, src *source) {
	d.Detail = "A block on one line can contain only one attribute."
	d.Suggestion = "write the block over several lines, each attribute and block on its own"
	before, _ := src.around(src.offset(d.Range.Start))
	open := bytes.LastIndexByte(before, '{')
	if open < 0 {
		return
	}
	header := before[bytes.LastIndexByte(before[:open], '{')+1 : open]
	if words := bytes.Fields(header); len(words) > 0 && startsItem.Match(append(bytes.Clone(words[0]), '{')) {
		d.Suggestion = fmt.Sprintf("write the block %q over several lines, each attribute and block on its own", words[0])
	}
}

// colonForEquals is `name: value`, as other formats have it.
func colonForEquals(d *Diagnostic, _ *hcl.Diagnostic, src *source) {
	_, after := src.around(src.offset(d.Range.Start))
	key := name.Find(after)
	rest := bytes.TrimLeft(after[len(key):], " \t")
	if bytes.HasPrefix(after, []byte("/*")) {
		d.Code, d.Summary, d.Detail = "unclosed", "this comment is never closed", ""
		d.Suggestion = "end it by */"
		return
	}
	if len(key) == 0 || !bytes.HasPrefix(rest, []byte(":")) {
		return
	}
	d.Summary, d.Detail = fmt.Sprintf("a colon follows the attribute %q", key), "An attribute is written as name = value."
	d.Suggestion = `write "=" for ":"`
	colon := len(after) - len(rest)
	*d = d.WithFix(near(d.Range, d.Range.Start, len(key), colon+1), " =")
}

// setTwice names the attribute: HCL's words for it are of another tool.
func setTwice(d *Diagnostic, _ *hcl.Diagnostic, src *source) {
	_, after := src.around(src.offset(d.Range.Start))
	if n := name.Find(after); n != nil {
		d.Summary, d.Detail = fmt.Sprintf("the attribute %q is set twice", n), ""
	}
}

// strayCharacter is a character that HCL doesn't know.
func strayCharacter(d *Diagnostic, h *hcl.Diagnostic, src *source) {
	if shellInterpolationAt(d, src) {
		return
	}
	_, after := src.around(src.offset(d.Range.Start))
	switch {
	case bytes.HasPrefix(after, []byte("'")):
		d.Summary, d.Detail = "text must be in double quotes", ""
		d.Suggestion = `write "…" for '…'`
		end := bytes.IndexByte(after[1:], '\'')
		if end < 0 {
			return
		}
		if text := after[1 : 1+end]; !bytes.ContainsAny(text, "\"\\$%") && isASCII(text) {
			*d = d.WithFix(near(d.Range, d.Range.Start, 0, end+2), `"`+string(text)+`"`)
		}
	case bytes.HasPrefix(after, []byte(";")):
		d.Summary, d.Detail = "a semicolon ends nothing here", "Attributes and blocks are separated by new lines."
		d.Suggestion = "start a new line"
	case bytes.HasPrefix(after, []byte("$")) && bytes.IndexFunc(after[1:], isNameRune) == 0:
		d.Summary, d.Detail = "a variable is written without a dollar sign", ""
		d.Suggestion = "refer to var.NAME or param.NAME, or quote text that is meant for a shell"
	}
}

func isASCII(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r >= 0x80 }) < 0
}

func isNameRune(r rune) bool {
	return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
