package diag

import (
	"github.com/hashicorp/hcl/v2"
)

// ViewVersion is the version of the machine-readable form. New fields don't change it; a field with another meaning
// increments it.
const ViewVersion = 1

// View is the machine-readable form of a list: the input of every format. Every text in it is safe to print: bytes that are
// not UTF-8, and characters that would move a cursor or are invisible, are replaced by escapes such as \x1b. The
// user names and passwords of addresses are masked, in messages and in lines of the source.
type View struct {
	Version      int              `json:"version"`
	Valid        bool             `json:"valid"` // there is no error
	ErrorCount   int              `json:"error_count"`
	WarningCount int              `json:"warning_count"`
	Diagnostics  []DiagnosticView `json:"diagnostics"`
	Tests        []TestView       `json:"tests,omitempty"` // of a command that runs tests
}

// DiagnosticView is one Diagnostic.
type DiagnosticView struct {
	Severity   Severity      `json:"severity"`
	Code       string        `json:"code"`
	Summary    string        `json:"summary"`
	Detail     string        `json:"detail,omitempty"`
	Range      *RangeView    `json:"range,omitempty"` // absent: not about a range
	Snippet    []LineView    `json:"snippet,omitempty"`
	Related    []RelatedView `json:"related,omitempty"`
	Suggestion string        `json:"suggestion,omitempty"`
	Fix        *FixView      `json:"fix,omitempty"`
}

// RangeView is a range in a file; the end is just after its last character.
type RangeView struct {
	Filename string  `json:"filename"`
	Start    PosView `json:"start"`
	End      PosView `json:"end"`
}

// PosView is a position in a file. Lines and columns count from 1, and a column is a character as a reader sees it; the
// byte is an offset.
type PosView struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// LineView is a line of the source that highlights something, or a line near one. Only the first and last lines of a long
// range are included; the line numbers show the gap.
type LineView struct {
	Line      int       `json:"line"`
	Text      string    `json:"text"`
	CutStart  bool      `json:"cut_start,omitempty"` // the line is very long, and some of it before Text is left out
	CutEnd    bool      `json:"cut_end,omitempty"`   // the same after Text
	Highlight *SpanView `json:"highlight,omitempty"`
}

// SpanView is a range of code points of a line's Text, from 0; the end is just after the last one. Start and end are equal
// for a position between two characters.
type SpanView struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// RelatedView is one Related.
type RelatedView struct {
	Message string     `json:"message"`
	Range   *RangeView `json:"range,omitempty"`
	Snippet []LineView `json:"snippet,omitempty"`
}

// FixView is a Fix. Its text is written to the file unchanged, so it is the only text that is not made safe to print.
type FixView struct {
	Range RangeView `json:"range"`
	Text  string    `json:"text"`
}

// NewView returns the machine-readable form of ds, in their order, which is usually that of List.Sorted. sources are the
// files' contents by name. For a file that is missing there, the range has no snippet.
func NewView(ds []Diagnostic, sources map[string][]byte) *View {
	b := builder{files: sources, indexed: make(map[string]*source)}
	v := &View{Version: ViewVersion, Diagnostics: make([]DiagnosticView, 0, len(ds))}
	for _, d := range ds {
		switch d.Severity {
		case Error:
			v.ErrorCount++
		case Warning:
			v.WarningCount++
		}
		v.Diagnostics = append(v.Diagnostics, b.diagnostic(d))
	}
	v.Valid = v.ErrorCount == 0
	return v
}

// builder indexes each file once, for the first diagnostic in it.
type builder struct {
	files   map[string][]byte
	indexed map[string]*source
}

func (b *builder) source(name string) *source {
	if s, ok := b.indexed[name]; ok {
		return s
	}
	var s *source
	if text, ok := b.files[name]; ok {
		s = newSource(maskUserinfo(text))
	}
	b.indexed[name] = s
	return s
}

func (b *builder) diagnostic(d Diagnostic) DiagnosticView {
	v := DiagnosticView{
		Severity:   d.Severity,
		Code:       Printable(d.Code),
		Summary:    Printable(maskText(d.Summary)),
		Detail:     printableLines(maskText(d.Detail)),
		Range:      b.rangeView(d.Range),
		Snippet:    b.snippet(d.Range, 1),
		Suggestion: Printable(maskText(d.Suggestion)),
	}
	for _, r := range d.Related {
		v.Related = append(v.Related, RelatedView{
			Message: Printable(maskText(r.Message)), Range: b.rangeView(r.Range), Snippet: b.snippet(r.Range, 0),
		})
	}
	if d.Fix != nil {
		if at := b.rangeView(d.Fix.Range); at != nil {
			v.Fix = &FixView{Range: *at, Text: d.Fix.Text}
		}
	}
	return v
}

func (b *builder) snippet(r hcl.Range, context int) []LineView {
	if r.Filename == "" {
		return nil
	}
	s := b.source(r.Filename)
	if s == nil {
		return nil
	}
	return s.snippet(r, context)
}

// rangeView converts a range, and looks up bytes that are not known.
func (b *builder) rangeView(r hcl.Range) *RangeView {
	if r.Filename == "" {
		return nil
	}
	if s := b.source(r.Filename); s != nil && (r.Start.Byte < 0 || r.End.Byte < 0) {
		r.Start.Byte, r.End.Byte = s.offset(r.Start), s.offset(r.End)
	}
	return &RangeView{
		Filename: Printable(r.Filename),
		Start:    PosView{r.Start.Line, r.Start.Column, max(0, r.Start.Byte)},
		End:      PosView{r.End.Line, r.End.Column, max(0, r.End.Byte)},
	}
}
