package main

import (
	"strings"
	"time"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/record"
)

// runColumn is a column of the list of runs.
type runColumn struct {
	head string
	cell func(*runs.Summary) string
}

// runFields are the columns of the list, by the names that --columns takes. The first six are shown without it.
var runFields = []struct {
	name string
	cell func(*runs.Summary) string
}{
	{"run", func(s *runs.Summary) string { return s.Run.Name }},
	{"pipeline", func(s *runs.Summary) string { return s.Run.Pipeline }},
	{"stack", func(s *runs.Summary) string { return s.Run.Stack }},
	{"status", func(s *runs.Summary) string { return string(s.Status) }},
	{"started", func(s *runs.Summary) string { return started(s.Run) }},
	{"took", func(s *runs.Summary) string {
		if s.EndedAt.IsZero() {
			return ""
		}
		return s.EndedAt.Sub(s.Run.CreatedAt).Round(100 * time.Millisecond).String()
	}},
	{"rerun_of", func(s *runs.Summary) string { return s.Run.RerunOf }},
	{"scheduled_at", func(s *runs.Summary) string {
		if s.Run.ScheduledAt == nil {
			return ""
		}
		return s.Run.ScheduledAt.Local().Format(time.DateTime)
	}},
	{"schedule", func(s *runs.Summary) string { return s.Run.Schedule }},
	{"reason", func(s *runs.Summary) string { return s.Reason }},
	{"message", func(s *runs.Summary) string { return record.Shorten(oneLine(s.Message), 80) }},
}

const defaultFields = 6

// columns returns the columns to show: the usual ones, all with -o wide, and then those of --columns. A list that begins with
// run replaces them.
func (l *runLister) columns() ([]runColumn, error) {
	var out []runColumn
	shown := defaultFields
	if l.out.wide() {
		shown = len(runFields)
	}
	if len(l.extra) > 0 && l.extra[0] == "run" {
		shown = 0
	}
	for _, f := range runFields[:shown] {
		out = append(out, runColumn{heading(f.name), f.cell})
	}
	for _, name := range l.extra {
		cell, err := runCell(name)
		if err != nil {
			return nil, err
		}
		out = append(out, runColumn{heading(name), cell})
	}
	return out, nil
}

func heading(name string) string {
	if strings.Contains(name, ".") {
		return name // the names of params and outputs are case-sensitive
	}
	return strings.ToUpper(strings.ReplaceAll(name, "_", " "))
}

// runCell returns the content of a column.
func runCell(name string) (func(*runs.Summary) string, error) {
	if param, ok := strings.CutPrefix(name, "param."); ok && param != "" {
		return func(s *runs.Summary) string { return paramCell(s, param) }, nil
	}
	if output, ok := strings.CutPrefix(name, "output."); ok && output != "" {
		return func(s *runs.Summary) string { return datumCell(s.Outputs, output) }, nil
	}
	for _, f := range runFields {
		if f.name == name {
			return f.cell, nil
		}
	}
	names := columnNames()
	near := ""
	if s := diag.Suggest(name, names); s != "" {
		near = "; did you mean " + s + "?"
	}
	return nil, usage("there is no column %q: param.NAME, output.NAME, or one of %s%s", name, strings.Join(names, ", "), near)
}

// columnNames returns the columns that every run has.
func columnNames() []string {
	names := make([]string, len(runFields))
	for i, f := range runFields {
		names[i] = f.name
	}
	return names
}

func paramCell(s *runs.Summary, name string) string {
	if value, ok := s.Run.Params[name]; ok {
		return record.Shorten(oneLine(string(value)), 40)
	}
	var imports []record.Datum
	for i := range s.Run.Imports {
		imports = append(imports, s.Run.Imports[i].Datum)
	}
	return datumCell(imports, name)
}

// datumCell returns a value, or the digest of an artifact.
func datumCell(list []record.Datum, name string) string {
	for i := range list {
		switch d := &list[i]; {
		case d.Name != name:
		case d.Artifact != nil:
			return view.ShortDigest(d.Artifact.Digest)
		default:
			return record.Shorten(oneLine(view.Content(d)), 40)
		}
	}
	return ""
}
