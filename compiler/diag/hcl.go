package diag

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// FromHCL converts HCL's own diagnostics. sources are the files that they are about, by name. Known pitfalls of HCL's
// syntax are detected in the sources, and get a suggestion or a fix.
//
// A diagnostic that is only a consequence of another one at the same position is dropped. For one stray character, for
// example, HCL reports both that it is invalid and that an expression is missing.
func FromHCL(diags hcl.Diagnostics, sources map[string][]byte) []Diagnostic {
	t := translator{rules: hclRules(), files: builder{files: sources, indexed: make(map[string]*source)}}
	out := make([]Diagnostic, 0, len(diags))
	news := make(map[hcl.Range]bool)
	for _, h := range diags {
		if h.Subject != nil && !follows(h.Summary) {
			news[*h.Subject] = true
		}
	}
	for _, h := range diags {
		if h.Subject == nil || !follows(h.Summary) || !news[*h.Subject] {
			out = append(out, t.translate(h))
		}
	}
	return out
}

// follows reports whether a diagnostic is only a consequence if there is another one at its position.
func follows(summary string) bool {
	switch summary {
	case "Invalid expression", "Invalid single-argument block definition", "Missing newline after argument",
		"Unterminated template string", "Unclosed template interpolation sequence", "Invalid string literal",
		"Argument or block definition required", "Extra characters after interpolation expression":
		return true
	}
	return false
}

type translator struct {
	rules map[string]hclRule
	files builder
}

func (t *translator) translate(h *hcl.Diagnostic) Diagnostic {
	d := Diagnostic{Code: "syntax", Severity: Error, Summary: sentence(h.Summary)}
	if h.Severity == hcl.DiagWarning {
		d.Severity = Warning
	}
	if h.Subject != nil {
		d.Range = *h.Subject
	}
	d.Detail, d.Suggestion = splitHint(paragraphs(h.Detail))
	rule := t.rule(h.Summary)
	if rule.code != "" {
		d.Code = rule.code
	}
	if rule.summary != "" {
		d.Summary = rule.summary
	}
	src := t.files.source(d.Range.Filename)
	t.elsewhere(&d, src)
	if rule.trap != nil && src != nil {
		rule.trap(&d, h, src)
	}
	return d
}

// rule finds the rule for a summary. Some summaries contain a name.
func (t *translator) rule(summary string) hclRule {
	if r, ok := t.rules[summary]; ok {
		return r
	}
	switch {
	case strings.HasPrefix(summary, "Missing ") && strings.Contains(summary, " for "):
		return hclRule{code: "missing"}
	case strings.HasPrefix(summary, "Extraneous label for "):
		return hclRule{code: "out-of-place"}
	case strings.HasPrefix(summary, "Duplicate ") && strings.HasSuffix(summary, " block"):
		return hclRule{code: "duplicate"}
	case strings.HasPrefix(summary, "Unexpected ") && strings.HasSuffix(summary, " block"):
		return hclRule{code: "unknown-block"}
	}
	return hclRule{}
}

// sentence changes a summary to this package's form: it may follow a colon, so it starts in lower case unless it starts
// with a name.
func sentence(s string) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), ".")
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && (s[1] < 'A' || s[1] > 'Z') {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// paragraphs joins the lines that HCL broke, and keeps indented and empty lines.
func paragraphs(detail string) string {
	var out []string
	joinable := false
	for line := range strings.SplitSeq(strings.TrimSpace(detail), "\n") {
		line = strings.TrimRight(line, " \r\t")
		indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		switch {
		case line == "":
			joinable = false
			continue
		case joinable && !indented:
			out[len(out)-1] += " " + line
		default:
			out = append(out, line)
		}
		joinable = !indented
	}
	return strings.Join(out, "\n")
}

// splitHint cuts a "Did you mean …?" from the end of a detail.
func splitHint(detail string) (rest, hint string) {
	i := strings.LastIndex(detail, "Did you mean ")
	if i < 0 || strings.Count(detail[i:], "?") != 1 || !strings.HasSuffix(detail, "?") {
		return detail, ""
	}
	return strings.TrimSpace(detail[:i]), "did you mean " + detail[i+len("Did you mean "):]
}

// place matches a range in a sentence, as hcl.Range.String writes it: f.hcl:1,2-3 or f.hcl:1,2-4,5.
var place = regexp.MustCompile(`(?: already set)? at (\S+):(\d+),(\d+)-(?:(\d+),)?(\d+)`)

// elsewhere makes a related range from one that HCL wrote into its sentence.
func (t *translator) elsewhere(d *Diagnostic, src *source) {
	m := place.FindStringSubmatch(d.Detail)
	if m == nil || src == nil || m[1] != d.Range.Filename {
		return
	}
	var n [4]int
	for i, text := range m[2:] {
		n[i], _ = strconv.Atoi(text) // text has only digits; "" is 0
	}
	if n[2] == 0 {
		n[2] = n[0]
	}
	at := hcl.Range{
		Filename: m[1],
		Start:    hcl.Pos{Line: n[0], Column: n[1], Byte: -1},
		End:      hcl.Pos{Line: n[2], Column: n[3], Byte: -1},
	}
	at.Start.Byte, at.End.Byte = src.offset(at.Start), src.offset(at.End)
	if d.Code == "duplicate" {
		d.Detail = strings.Replace(d.Detail, m[0], " already set", 1)
		*d = d.WithRelated(at, "set here first")
		return
	}
	d.Detail = strings.Replace(d.Detail, m[0], fmt.Sprintf(" on line %d", n[0]), 1)
	*d = d.WithRelated(at, "opened here")
}
