package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"pipec.dev/pipec/internal/app/web/shape"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// The number of runs in a list.
const (
	defaultRuns = 100
	maxRuns     = 5000
)

// filter selects runs of the list.
type filter struct {
	stacks   []int // nil: all
	pipeline string
	status   []string
	text     string // part of the name
	since    time.Time
	before   time.Time
	values   []valueFilter
	limit    int
}

// valueFilter compares a param or an output with a value: param.lr<0.1, output.accuracy>=0.9, param.name=x.
type valueFilter struct {
	output bool
	name   string
	op     string
	value  string
	number float64
	isNum  bool
}

// ops are the comparisons. Those of two characters come first.
var ops = [...]string{"<=", ">=", "!=", "=", "<", ">"}

// newFilter reads a filter from the query of a URL.
func (s *Server) newFilter(q url.Values) (*filter, error) {
	f := &filter{pipeline: q.Get("pipeline"), text: q.Get("name"), limit: defaultRuns}
	for _, text := range q["stack"] {
		i, err := s.stackOf(text)
		if err != nil {
			return nil, err
		}
		f.stacks = append(f.stacks, i)
	}
	for _, text := range q["status"] {
		f.status = append(f.status, strings.Split(text, ",")...)
	}
	var err error
	if text := q.Get("limit"); text != "" {
		if f.limit, err = strconv.Atoi(text); err != nil || f.limit < 1 || f.limit > maxRuns {
			return nil, badRequest("limit: expected a number from 1 to %d, found %q", maxRuns, text)
		}
	}
	if f.since, err = moment(q.Get("since")); err != nil {
		return nil, err
	}
	if f.before, err = moment(q.Get("before")); err != nil {
		return nil, err
	}
	for _, text := range q["where"] {
		for one := range strings.FieldsSeq(text) {
			v, err := newValueFilter(one)
			if err != nil {
				return nil, err
			}
			f.values = append(f.values, v)
		}
	}
	return f, nil
}

// moment reads a time or an age: 2026-01-31, 2026-01-31T12:00:00Z, 24h, 7d.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return time.Now().AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return time.Now().Add(-d), nil
	}
	return time.Time{}, badRequest("expected a time such as 2026-01-31 or an age such as 24h or 7d, found %q", text)
}

func newValueFilter(text string) (valueFilter, error) {
	at := strings.IndexAny(text, "<>=!")
	if at > 0 {
		for _, op := range ops {
			value, ok := strings.CutPrefix(text[at:], op)
			if !ok {
				continue
			}
			v := valueFilter{op: op, value: value}
			kind, name, named := strings.Cut(text[:at], ".")
			if !named || kind != "param" && kind != "output" {
				break
			}
			v.output, v.name = kind == "output", name
			n, err := strconv.ParseFloat(value, 64)
			v.number, v.isNum = n, err == nil
			return v, nil
		}
	}
	return valueFilter{}, badRequest("where: expected a condition such as param.rate<0.1 or output.accuracy>=0.9, found %q", text)
}

func badRequest(format string, args ...any) error { return usageFault(fmt.Sprintf(format, args...)) }

// matches reports whether a run is selected. The time of creation is left to the caller.
func (f *filter) matches(s *runs.Summary) bool {
	if len(f.status) > 0 && !slices.Contains(f.status, string(s.Status)) || f.text != "" && !strings.Contains(s.Run.Name, f.text) {
		return false
	}
	for i := range f.values {
		if !f.values[i].matches(s) {
			return false
		}
	}
	return true
}

func (v *valueFilter) matches(s *runs.Summary) bool {
	value := s.Run.Params[v.name]
	if v.output {
		value = nil
		if o := shape.Output(s.Outputs, v.name); o != nil {
			value = o.Value
		}
	}
	if value == nil {
		return v.op == "!="
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		text = string(value)
	}
	order := strings.Compare(text, v.value)
	var number *float64
	if v.isNum && json.Unmarshal(value, &number) == nil && number != nil {
		switch {
		case *number < v.number:
			order = -1
		case *number > v.number:
			order = 1
		default:
			order = 0
		}
	} else if v.op != "=" && v.op != "!=" && v.isNum {
		return false // a text is neither more nor less than a number
	}
	switch v.op {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// list writes the list of runs.
func (s *Server) list(w http.ResponseWriter, r *http.Request) error {
	f, err := s.newFilter(r.URL.Query())
	if err != nil {
		return err
	}
	out, err := s.collect(r.Context(), f)
	if err != nil {
		return err
	}
	return reply(w, out)
}

// collect reads the selected runs of all stacks, the newest first. A stack that can't be read is reported beside the others.
func (s *Server) collect(ctx context.Context, f *filter) (*shape.List, error) {
	out := &shape.List{Runs: []shape.Row{}, Pipelines: []string{}}
	for i := range s.o.Stacks {
		if f.stacks != nil && !slices.Contains(f.stacks, i) {
			continue
		}
		if err := s.collectStack(ctx, i, f, out); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			if len(s.o.Stacks) == 1 {
				return nil, err
			}
			out.Faults = append(out.Faults, fmt.Sprintf("stack %s: %v", s.o.Stacks[i].Name, err))
		}
	}
	slices.SortStableFunc(out.Runs, func(a, b shape.Row) int { return b.CreatedAt.Compare(a.CreatedAt) })
	if len(out.Runs) > f.limit {
		out.Runs, out.More = out.Runs[:f.limit], true
	}
	slices.Sort(out.Pipelines)
	out.Pipelines = slices.Compact(out.Pipelines)
	return out, nil
}

func (s *Server) collectStack(ctx context.Context, i int, f *filter, out *shape.List) error {
	reader, done, err := s.readers[i].get(ctx)
	if err != nil {
		return err
	}
	defer done()
	names, err := reader.Pipelines(ctx)
	if err != nil {
		return err
	}
	out.Pipelines = append(out.Pipelines, names...)
	if f.pipeline != "" && !slices.Contains(names, f.pipeline) {
		return nil
	}
	n := 0
	for one, err := range reader.ListWith(ctx, f.pipeline, &runs.ListOptions{Known: s.known[i].get, Damaged: damaged}) {
		if err != nil {
			return err
		}
		s.known[i].add(&one)
		if !f.since.IsZero() && one.Run.CreatedAt.Before(f.since) {
			break // all others are older
		}
		if !f.before.IsZero() && !one.Run.CreatedAt.Before(f.before) || !f.matches(&one) {
			continue
		}
		if n == f.limit {
			out.More = true
			break
		}
		n++
		out.Runs = append(out.Runs, shape.NewRow(s.o.Stacks[i].Name, &one))
	}
	return nil
}

// damaged is what is listed for a run whose records can't be read.
func damaged(run *record.Run, err error) runs.Summary {
	return runs.Summary{Run: run, Status: shape.Damaged, Message: err.Error()}
}

// changed reports whether two rows of the list differ in what can change.
func changed(a, b *shape.Row) bool {
	return a.Name != b.Name || a.Pipeline != b.Pipeline || a.Stack != b.Stack || a.Status != b.Status || !a.EndedAt.Equal(b.EndedAt) || a.Status == record.Running && a.Message != b.Message
}
