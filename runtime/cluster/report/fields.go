package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/cluster"
)

// changes prints the objects, and the fields of each.
func (t *text) changes(r *Report) {
	shown := false
	for i := range r.Programs {
		p := &r.Programs[i]
		shown = true
		t.line("  %s pipeline %s", t.paint(yellow, "~"), p.Pipeline)
		t.program(p.All())
	}
	for i := range r.List {
		ch := &r.List[i]
		if ch.Action == cluster.Unchanged && !t.Full && len(ch.Conflicts) == 0 {
			continue
		}
		shown = true
		t.change(ch)
	}
	if shown {
		t.line("")
	}
}

// inPod matches the path of the pod of a step in a program.
var inPod = regexp.MustCompile(`^(steps|finally)\["[^"]*"\]\.pod\.`)

// program prints the fields of a program. It leaves out fields of pods if other fields changed, because pods result
// from the rest of the program. An element that is new or gone is one line, unless all is shown.
func (t *text) program(all []cluster.Field) {
	var rest []cluster.Field
	pods, others := 0, 0
	whole := wholes(all)
	for i := range all {
		f := all[i]
		if g := whole.of(&f); g != nil && !t.Full {
			t.gained(g)
			others++
			continue
		}
		pod := inPod.MatchString(f.Path)
		if !pod {
			rest = append(rest, f)
		}
		if !f.Same() && pod {
			pods++
		} else if !f.Same() {
			others++
		}
	}
	if t.Full || others == 0 {
		t.fields(all)
		return
	}
	t.fields(rest)
	if pods > 0 {
		t.line("        %s", t.paint(dim, fmt.Sprintf("(and %s of pods, as a result; --full shows all)", count(pods, "field", "fields"))))
	}
}

func (t *text) change(ch *cluster.Change) {
	m := marks[ch.Action]
	line := fmt.Sprintf("  %s %s %s", t.paint(m.color, m.mark), ch.Kind, ch.Name)
	switch ch.Action {
	case cluster.Keep:
		line += " stays: run " + ch.Why + " needs it"
	case cluster.Replace:
		line += " is deleted and recreated: an immutable field has changed"
	}
	t.line("%s", line)
	for _, c := range ch.Conflicts {
		t.line("      %s %s is managed by %q", t.paint(red, "!"), c.Field, c.Manager)
	}
	for _, w := range ch.Warnings {
		t.line("      %s the API server warns: %s", t.paint(yellow, "!"), w)
	}
	switch ch.Action {
	case cluster.Update, cluster.Replace:
		t.fields(ch.All())
	case cluster.Create, cluster.Write, cluster.Unchanged:
		if t.Full {
			t.fields(ch.All())
		}
	}
}

// fields prints the fields that change, with Context unchanged fields around each.
func (t *text) fields(all []cluster.Field) {
	hidden := 0
	tell := func() {
		if hidden > 0 {
			t.line("        %s", t.paint(dim, fmt.Sprintf("(%d unchanged)", hidden)))
		}
		hidden = 0
	}
	near := t.near(all)
	for i := range all {
		f := &all[i]
		if !near[i] {
			hidden++
			continue
		}
		if t.Context > 0 {
			tell()
		}
		t.field(f)
	}
	if t.Context > 0 {
		tell()
	}
}

// near reports for each field whether it is shown.
func (t *text) near(all []cluster.Field) []bool {
	out := make([]bool, len(all))
	until := -1 // the last unchanged field that is shown after a change
	for i := range all {
		if !all[i].Same() {
			for j := max(0, i-t.Context); j < i; j++ {
				out[j] = true
			}
			until = i + t.Context
		}
		out[i] = t.Full || !all[i].Same() || i <= until
	}
	return out
}

func (t *text) field(f *cluster.Field) {
	switch {
	case f.Same():
		t.line("        %s: %s", f.Path, t.value(f.After, 0))
	case f.Before == nil:
		t.line("      %s %s: %s", t.paint(green, "+"), f.Path, t.value(f.After, 0))
	case f.After == nil:
		t.line("      %s %s: %s", t.paint(red, "-"), f.Path, t.value(f.Before, 0))
	default:
		from := differ(f.Before, f.After)
		t.line("      %s %s: %s -> %s", t.paint(yellow, "~"), f.Path, t.value(f.Before, from), t.value(f.After, from))
	}
}

// A longer value is shown in part, from shortly before its first difference.
const (
	longValue = 160
	lead      = 24
)

func (t *text) value(raw json.RawMessage, from int) string {
	s := string(raw)
	if t.Full || len(s) <= longValue {
		return s
	}
	start, before := 0, ""
	if from > longValue-lead {
		start, before = from-lead, "…"
	}
	for start > 0 && start < len(s) && !utf8.RuneStart(s[start]) {
		start--
	}
	end, after := start+longValue, "…"
	if end >= len(s) {
		end, after = len(s), ""
	}
	for end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	return before + s[min(start, end):end] + after
}

// differ returns the index of the first difference of two values.
func differ(a, b json.RawMessage) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
