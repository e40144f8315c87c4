package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/schema/record"
)

// Options control the text.
type Options struct {
	Color bool
	// Full shows the fields of new objects, whole values, and unchanged fields.
	Full bool
	// Context is the number of unchanged fields shown around each changed field.
	Context int
}

// colors of the marks
const (
	green  = "32"
	yellow = "33"
	red    = "31"
	dim    = "2"
	bold   = "1"
)

var marks = map[cluster.Action]struct{ mark, color string }{
	cluster.Create:    {"+", green},
	cluster.Update:    {"~", yellow},
	cluster.Replace:   {"±", yellow},
	cluster.Delete:    {"-", red},
	cluster.Keep:      {"=", dim},
	cluster.Unchanged: {" ", dim},
	cluster.Write:     {"+", green},
}

type text struct {
	*bufio.Writer
	Options
}

func (t *text) paint(color, s string) string {
	if !t.Color || color == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

// Text writes a report as text.
func Text(w io.Writer, r *Report, o Options) error {
	t := &text{bufio.NewWriter(w), o}
	t.head(r)
	t.pipelines(r)
	t.changes(r)
	for _, run := range r.Runs {
		t.line("  %s run %s continues: the objects that it needs are kept until `pipec destroy` is called after its end", t.paint(dim, "="), run)
	}
	if len(r.Runs) > 0 {
		t.line("")
	}
	t.notes(r)
	return t.Flush()
}

func (t *text) head(r *Report) {
	at := fmt.Sprintf("Stack %s", r.Stack)
	if r.Context != "" {
		at += fmt.Sprintf(", context %s (%s)", r.Context, r.Host)
	}
	at += ", namespace " + r.Namespace
	if r.Project != "" {
		at += ", project " + r.Project
	}
	t.line("%s", t.paint(bold, at))
	if r.Offline {
		t.line("Offline: this is what would be applied, from the project and its lock. It was not compared with a cluster.")
	}
	t.line("")
}

// when is the format of a time. It contains the weekday, which users look for in a schedule.
const when = "Mon 2006-01-02 15:04 MST"

func (t *text) pipelines(r *Report) {
	for _, p := range r.Pipelines {
		line := fmt.Sprintf("Pipeline %s: %d step", p.Name, p.Steps)
		if p.Steps != 1 {
			line += "s"
		}
		t.line("%s", line)
		for i := range p.Schedules {
			t.schedule(&p.Schedules[i])
		}
		if p.Run != nil {
			t.run(p.Run)
		}
		t.pods(r, &p)
		if len(p.Approvals) > 0 {
			t.line("  waits for approval: %s", some(p.Approvals))
		}
		for _, l := range p.Restricted {
			t.line("  %s step %s violates Pod Security restricted: %s", t.paint(yellow, "!"), l.Step, strings.Join(l.Reasons, "; "))
		}
	}
	if len(r.Pipelines) > 0 {
		t.line("")
	}
}

func (t *text) run(r *Run) {
	var parts []string
	if len(r.Cached) > 0 {
		parts = append(parts, "cached "+some(r.Cached))
	}
	if len(r.Run) > 0 {
		them := "them"
		if len(r.Run) == 1 {
			them = "it"
		}
		parts = append(parts, "run "+some(r.Run)+", and the steps that depend on "+them)
	}
	if len(parts) > 0 {
		t.line("  a run now: %s", strings.Join(parts, "; "))
	}
}

// some joins the first names, and states how many more there are.
func some(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func (t *text) schedule(s *Schedule) {
	name := "schedule"
	if s.Name != "" {
		name += " " + s.Name
	}
	line := fmt.Sprintf("  %s %q (%s)", name, s.Cron, s.Timezone)
	switch {
	case s.Suspend:
		line += ": suspended"
	case len(s.Next) == 0:
		line += ": never"
	default:
		var times []string
		for _, at := range s.Next {
			times = append(times, at.Format(when))
		}
		line += ": next " + strings.Join(times, ", ")
	}
	t.line("%s", line)
	if s.Name != "" && len(s.Params) > 0 {
		var params []string
		for _, name := range slices.Sorted(maps.Keys(s.Params)) {
			params = append(params, name+" = "+record.Shorten(string(s.Params[name]), 40))
		}
		t.line("    params: %s", strings.Join(params, ", "))
	}
	if s.Gap != nil {
		t.line("  %s %s", t.paint(yellow, "!"), s.Gap)
	}
}

func (t *text) notes(r *Report) {
	s := r.Summary
	switch {
	case r.Offline:
		t.line("Plan: %d to apply.", s.Create)
	case r.Empty() && r.Destroy:
		t.line("There is nothing to remove.")
	case r.Empty():
		t.line("No changes. The cluster is up to date.")
	default:
		t.line("Plan: %d to create, %d to change, %d to delete.", s.Create, s.Change, s.Delete)
	}
	for _, n := range r.Notes {
		t.line("%s %s", t.paint(yellow, "!"), n)
	}
}
