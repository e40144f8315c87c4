package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/cluster"
)

// changes are the objects, and below each its fields.
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

// inPod is where a program holds the pod of a step.
var inPod = regexp.MustCompile(`^(steps|finally)\["[^"]*"\]\.pod\.`)

// program draws the fields of a program. Pods follow from the rest of it, and are left out beside what they follow from.
func (t *text) program(all []cluster.Field) {
	var rest []cluster.Field
	pods, others := 0, 0
	for _, f := range all {
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
	if t.Full || pods == 0 || others == 0 {
		t.fields(all)
		return
	}
	t.fields(rest)
	t.line("        %s", t.paint(dim, fmt.Sprintf("(and %d fields of pods that result from these; --full shows them)", pods)))
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

// fields draws those that change, and of the others as many around them as are asked for.
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

// near says which fields are shown.
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

// A longer value is shown in part, beginning a little before the place that matters.
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

// differ is where two values begin to.
func differ(a, b json.RawMessage) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
