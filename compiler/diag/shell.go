package diag

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Text that is meant for a shell or another program, and is read as a template: `${VAR:-x}`, `%{http_code}`.

// shellOnly matches the content of a ${…} that is valid in a shell and never in pipec's language.
var shellOnly = regexp.MustCompile(`^(\d+:[-=+?].*|#?[@*]|[?$!]|#[A-Za-z_]\w*(\[[@*]\])?|![A-Za-z_]\w*(\[[@*]\]|[@*])?` +
	`|[A-Za-z_]\w*(\[[@*]\]|:[-=+?]|:\d|##|#|%%|%[^ ]|\^|,|//|@[A-Za-z]$|\?).*)$`)

// unknownDirective handles %{word} with a word that is not a directive of templates.
func unknownDirective(d *Diagnostic, h *hcl.Diagnostic, src *source) {
	at := src.offset(d.Range.Start)
	before, after := src.around(at)
	open := bytes.LastIndex(before, []byte("%{"))
	if open < 0 {
		return
	}
	keyword := string(regexp.MustCompile(`^\w*`).Find(after))
	d.Summary = fmt.Sprintf("%%{%s} is not a template directive", keyword)
	d.Detail = "In text, %{ starts a directive: if, else, endif, for, endfor. Escape it if it is meant for another program, such as curl or date."
	if like := Suggest(keyword, []string{"if", "else", "endif", "for", "endfor"}); like != "" {
		d.Code = "syntax"
		d.Suggestion = fmt.Sprintf("did you mean %q? For another program, write %%%%{", like)
		return
	}
	text := keyword
	if end := bytes.IndexByte(after, '}'); end >= 0 {
		text = string(before[open+2:]) + string(after[:end+1])
	}
	d.Suggestion = fmt.Sprintf("write %%%%{%s", text)
	*d = d.WithFix(near(d.Range, d.Range.Start, open-len(before), open-len(before)+2), "%%{")
}

// shellInterpolation handles a ${…} that can't be parsed and whose content is a shell's.
func shellInterpolation(d *Diagnostic, _ *hcl.Diagnostic, src *source) { shellInterpolationAt(d, src) }

func shellInterpolationAt(d *Diagnostic, src *source) bool {
	at := src.offset(d.Range.Start)
	before, after := src.around(at)
	if bytes.HasPrefix(after, []byte("${")) {
		before, after = append(bytes.Clone(before), after[:2]...), after[2:]
		at += 2
	}
	open := bytes.LastIndex(before, []byte("${"))
	if open < 0 || bytes.IndexByte(before[open:], '}') >= 0 {
		return false
	}
	inner := string(before[open+2:]) + string(after)
	end := strings.IndexByte(inner, '}')
	if end < 0 || !shellOnly.MatchString(inner[:end]) {
		return false
	}
	meantForShell(d, inner[:end])
	pos := d.Range.Start
	pos.Column += at - pos.Byte
	pos.Byte = at
	d.Range = near(d.Range, pos, open-len(before), end-(len(before)-open-2)+1)
	if isASCII(before[open:]) && isASCII([]byte(inner[:end])) {
		open := d.Range
		open.End = hcl.Pos{Line: open.Start.Line, Column: open.Start.Column + 2, Byte: open.Start.Byte + 2}
		*d = d.WithFix(open, "$${")
	}
	return true
}

// shellComment handles "${#array}": the # starts a comment, which contains the rest of the line.
func shellComment(d *Diagnostic, h *hcl.Diagnostic, src *source) {
	if shellInterpolationAt(d, src) {
		return
	}
	from, to := 0, src.offset(d.Range.Start)
	switch {
	case h.Context != nil:
		from = max(src.offset(h.Context.Start), to-4096)
	case to < len(src.text):
		return // reported once per file, because it reads the whole file
	}
	at := bytes.LastIndex(src.text[min(from, to):to], []byte("${#"))
	if at < 0 {
		return
	}
	at += min(from, to)
	line := src.line(at)
	start, end := src.bounds(line)
	inner := string(src.text[at+2 : end])
	n := strings.IndexByte(inner, '}')
	if n < 0 || !shellOnly.MatchString(inner[:n]) {
		return
	}
	meantForShell(d, inner[:n])
	pos := hcl.Pos{Line: line + 1, Column: 1 + len([]rune(string(src.text[start:at]))), Byte: at}
	d.Range = near(d.Range, pos, 0, n+3)
	*d = d.WithFix(near(d.Range, pos, 0, 2), "$${")
}

func meantForShell(d *Diagnostic, inner string) {
	d.Code = "interpolation-for-shell"
	d.Summary = fmt.Sprintf("${%s} is read as an expression of pipec, not by a shell", inner)
	d.Detail = "In text, ${ starts an expression. Escape it if it is meant for a shell."
	d.Suggestion = fmt.Sprintf("write $${%s}", inner)
}

// ForShell returns d, which reports an unknown reference, with the suggestion for a variable of the shell if the reference
// is the whole content of a ${…} of the source: "${HOME}".
func ForShell(d Diagnostic, text []byte) Diagnostic {
	r := d.Range
	if r.Start.Byte < 2 || r.End.Byte >= len(text) || r.End.Byte < r.Start.Byte {
		return d
	}
	name := string(text[r.Start.Byte:r.End.Byte])
	if string(text[r.Start.Byte-2:r.Start.Byte]) != "${" || text[r.End.Byte] != '}' || !shellName.MatchString(name) {
		return d
	}
	// A similar name in the project is more probable than a shell variable, so such a suggestion is kept.
	if d.Suggestion == "" {
		d.Suggestion = fmt.Sprintf("write $${%s} if it is meant for the shell", name)
	}
	return d
}

var shellName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// NameMinus returns how to write a subtraction that was read as one name: "count-1" if there is a "count". It returns ""
// for other names.
func NameMinus(prefix, name string, among []string) string {
	for i := strings.LastIndexByte(name, '-'); i > 0; i = strings.LastIndexByte(name[:i], '-') {
		for _, n := range among {
			if n == name[:i] && i+1 < len(name) {
				return fmt.Sprintf("%q is one name; to subtract, write %s%s - %s", name, prefix, n, name[i+1:])
			}
		}
	}
	return ""
}
