package lsp

import (
	"path/filepath"
	"regexp"
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/record"
)

// translator converts the compiler's diagnostics to the protocol's.
type translator struct {
	server  *server
	dir     string
	docs    map[string]*document
	sources map[string][]byte // the compiled texts, by path: with \n at the ends of lines, which changes no position
	texts   map[string]*text
}

// repair is an edit that fixes a diagnostic.
type repair struct {
	title   string
	certain bool
	path    string
	edit    textEdit
}

var severities = map[diag.Severity]int{diag.Error: 1, diag.Warning: 2, diag.Note: 3}

// finding converts a diagnostic, and returns the path of its file. A diagnostic without a file is put at the start of the
// project's first one; the path is "" if there is no file.
func (t *translator) finding(d diag.DiagnosticView) (string, finding) {
	f := finding{diagnostic: diagnostic{Severity: severities[d.Severity], Code: d.Code, Source: "pipec", Message: message(d)}}
	if d.Code == "unused" {
		f.Tags = []int{1} // unnecessary: drawn faded
	}
	if t.server.client.Capabilities.TextDocument.PublishDiagnostics.CodeDescription {
		f.Page = t.server.pages.of(d.Code)
	}
	path := t.main()
	if at := d.Range; at != nil && t.isFile(at.Filename) {
		path, f.Range = at.Filename, t.span(*at)
		f.ignorable = ignorable(d.Code)
	} else if at != nil {
		f.Message = at.Filename + ": " + f.Message // such as --var gamma
	}
	if t.server.client.Capabilities.TextDocument.PublishDiagnostics.RelatedInformation {
		for _, r := range d.Related {
			if r.Range != nil && t.isFile(r.Range.Filename) {
				f.Related = append(f.Related, related{location{uriOf(r.Range.Filename, t.docs), t.span(*r.Range)}, r.Message})
			}
		}
	}
	f.repairs = t.repairs(d)
	return path, f
}

func message(d diag.DiagnosticView) string {
	text := d.Summary
	for _, more := range []string{d.Detail, d.Suggestion} {
		if more != "" {
			text += "\n" + more
		}
	}
	return text
}

// isFile reports whether a diagnostic is about a file, and not about a flag.
func (t *translator) isFile(name string) bool { return filepath.IsAbs(name) }

// main returns the first file of the project.
func (t *translator) main() string {
	first := ""
	for path := range t.sources {
		if isSource(path) && t.isFile(path) && (first == "" || path < first) {
			first = path
		}
	}
	return first
}

func (t *translator) text(path string) *text {
	if have := t.texts[path]; have != nil {
		return have
	}
	if src, ok := t.sources[path]; ok {
		t.texts[path] = diskText(src, t.server.enc)
		if t.docs[path] != nil {
			t.texts[path] = newText(src, t.server.enc)
		}
	}
	return t.texts[path]
}

func (t *translator) span(r diag.RangeView) span {
	if text := t.text(r.Filename); text != nil {
		return text.span(r.Start.Byte, r.End.Byte)
	}
	at := func(p diag.PosView) position { return position{max(0, p.Line-1), max(0, p.Column-1)} }
	return span{at(r.Start), at(r.End)}
}

// repairs returns the diagnostic's certain fix, or otherwise the suggested name.
func (t *translator) repairs(d diag.DiagnosticView) []repair {
	if d.Fix != nil && t.isFile(d.Fix.Range.Filename) {
		r := repair{title: "Write " + short(d.Fix.Text), certain: true, path: d.Fix.Range.Filename, edit: textEdit{t.span(d.Fix.Range), d.Fix.Text}}
		if d.Fix.Text == "" {
			r.title = "Remove this"
		}
		return []repair{r}
	}
	m := meant.FindStringSubmatch(d.Suggestion)
	if m == nil || d.Range == nil || !t.isFile(d.Range.Filename) {
		return nil
	}
	text := t.text(d.Range.Filename)
	start, end := d.Range.Start.Byte, d.Range.End.Byte
	if text == nil || start < 0 || start > end || end > len(text.src) {
		return nil
	}
	from, to, ok := wrongName(string(text.src[start:end]), m[1])
	if !ok {
		return nil
	}
	return []repair{{title: "Change to " + m[1], path: d.Range.Filename, edit: textEdit{text.span(start+from, start+to), m[1]}}}
}

// meant matches a suggested name.
var meant = regexp.MustCompile(`^did you mean "([^"\\]+)"\?`)

// name matches the text between dots, brackets and quotes.
var name = regexp.MustCompile(`[^."\[\]\s(){}]+`)

// wrongName finds the part of a text that the suggested name replaces: a whole name or string, or the one part of a
// reference that is similar to it.
func wrongName(text, suggested string) (from, to int, ok bool) {
	if inner, quoted := strings.CutPrefix(text, `"`); quoted && strings.HasSuffix(inner, `"`) && strings.Count(text, `"`) == 2 && !strings.ContainsAny(inner, "$%\\") {
		return 1, len(text) - 1, len(text) > 2
	}
	for _, at := range name.FindAllStringIndex(text, -1) {
		if part := text[at[0]:at[1]]; part == suggested || diag.Suggest(part, []string{suggested}) == "" {
			continue
		}
		if ok {
			return 0, 0, false // ambiguous
		}
		from, to, ok = at[0], at[1], true
	}
	return from, to, ok
}

// short shortens a text for a menu.
func short(s string) string {
	return record.Shorten(strings.Join(strings.Fields(s), " "), 60)
}
