package lastsuccess_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/lastsuccess"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func open(t *testing.T) *store.Local {
	t.Helper()
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// past is a run that was.
type past struct {
	namespace, project, pipeline, name string
	at                                 int
	status                             record.Status // "": it has not ended
	outputs                            []record.Datum
}

func put(t interface {
	Fatal(...any)
	Context() context.Context
}, s store.Store, p past) {
	run := &record.Run{Version: record.Version, Namespace: p.namespace, Project: p.project, Pipeline: p.pipeline, Name: p.name, CreatedAt: time.Unix(int64(p.at), 0)}
	write := func(key string, v any) {
		data, err := json.Marshal(v)
		if err == nil {
			err = s.Put(t.Context(), key, bytes.NewReader(data), store.IfAbsent)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(run.RunKey(), run)
	write(run.IndexKey(), &record.Indexed{Version: record.Version})
	if p.status != "" {
		write(run.EndKey(), &record.End{Version: record.Version, Status: p.status, Outputs: p.outputs, Steps: []record.StepEnd{}})
	}
}

func number(name string, n int) record.Datum {
	return record.Datum{Name: name, Type: "number", Value: json.RawMessage(fmt.Sprint(n))}
}

func TestFind(t *testing.T) {
	s := open(t)
	for _, p := range []past{
		{"ns", "mine", "p", "old", 1, record.Succeeded, []record.Datum{number("x", 1), number("y", 1)}},
		{"ns", "mine", "p", "newer", 2, record.Succeeded, []record.Datum{number("x", 2)}},
		{"ns", "mine", "p", "failed", 3, record.Failed, []record.Datum{number("x", 3)}},
		{"ns", "mine", "p", "running", 4, "", nil},
		{"other", "mine", "p", "elsewhere", 5, record.Succeeded, []record.Datum{number("x", 5)}},
		{"ns", "theirs", "p", "foreign", 6, record.Succeeded, []record.Datum{number("x", 6)}},
		{"ns", "mine", "q", "text", 7, record.Succeeded, []record.Datum{{Name: "x", Type: "string", Value: json.RawMessage(`"7"`)}}},
	} {
		put(t, s, p)
	}
	// Torn records are skipped.
	torn := &record.Run{Namespace: "ns", Pipeline: "p", Name: "torn", CreatedAt: time.Unix(8, 0)}
	for _, key := range []string{torn.IndexKey(), torn.EndKey(), "index/ns/p/nonsense"} {
		if err := s.Put(t.Context(), key, strings.NewReader("{"), store.IfAbsent); err != nil {
			t.Fatal(err)
		}
	}
	run := &record.Run{Namespace: "ns", Project: "mine", Pipeline: "p", Name: "now"}
	last := func(pipeline, output, typ string, required bool) program.LastSuccess {
		return program.LastSuccess{Pipeline: pipeline, Output: output, Type: typ, Required: required}
	}
	for _, c := range []struct {
		name  string
		last  []program.LastSuccess
		of    *record.Run
		found string
		fault string
	}{
		{name: "nothing is asked for"},
		{name: "the newest that succeeded and has it", last: []program.LastSuccess{last("p", "x", "number", true), last("p", "y", "number", true)}, found: "p.x=2 of newer, p.y=1 of old"},
		{name: "any takes all", last: []program.LastSuccess{last("p", "x", "any", true)}, found: "p.x=2 of newer"},
		{name: "no such output", last: []program.LastSuccess{last("p", "z", "number", false)}},
		{name: "no such pipeline", last: []program.LastSuccess{last("nope", "z", "number", false)}},
		{name: "it is required", last: []program.LastSuccess{last("nope", "z", "number", true), last("p", "x", "number", true)}, fault: "no run of pipeline nope has succeeded yet"},
		{name: "it has another type by now", last: []program.LastSuccess{last("q", "x", "number", true)}, fault: "(run text has written it as string)"},
		{name: "and may be missing", last: []program.LastSuccess{last("q", "x", "number", false)}},
		{
			name: "a rerun sees what the run saw", last: []program.LastSuccess{last("p", "x", "number", true), last("p", "y", "number", true)},
			of:    &record.Run{LastSuccess: []record.LastSuccess{{Pipeline: "p", Run: "old", Datum: number("x", 1)}, {Pipeline: "p", Run: "gone", Datum: record.Datum{Name: "y", Type: "string"}}}},
			found: "p.x=1 of old, p.y=1 of old",
		},
	} {
		got, err := lastsuccess.Find(t.Context(), s, &program.Program{LastSuccess: c.last}, run, c.of)
		var missing *lastsuccess.Missing
		if c.fault != "" {
			if !errors.As(err, &missing) || !strings.Contains(missing.Message, c.fault) || missing.Hint == "" {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || text(got) != c.found {
			t.Errorf("%s: %s (%v)", c.name, text(got), err)
		}
	}
}

// TestFindRenamed: the runs of a definition that was renamed after it was emitted, as by kustomize, are those of another one.
func TestFindRenamed(t *testing.T) {
	s := open(t)
	put(t, s, past{"ns", "mine", "p", "plain", 1, record.Succeeded, []record.Datum{number("x", 1)}})
	put(t, s, past{"ns", "mine", "p", "dev", 2, record.Succeeded, []record.Datum{number("x", 2)}})
	renamed := &record.Run{Version: record.Version, Namespace: "ns", Project: "mine", Pipeline: "p", Name: "dev", Renamed: "dev-*"}
	data, err := json.Marshal(renamed)
	if err == nil {
		err = s.Put(t.Context(), renamed.RunKey(), bytes.NewReader(data), store.Replace)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &program.Program{LastSuccess: []program.LastSuccess{{Pipeline: "p", Output: "x", Type: "number"}}}
	for pattern, want := range map[string]string{"": "p.x=1 of plain", "dev-*": "p.x=2 of dev", "prod-*": ""} {
		run := &record.Run{Namespace: "ns", Project: "mine", Pipeline: "p", Name: "now", Renamed: pattern}
		got, err := lastsuccess.Find(t.Context(), s, p, run, nil)
		if err != nil || text(got) != want {
			t.Errorf("%q: found %q (%v), expected %q", pattern, text(got), err, want)
		}
	}
}

func text(found []record.LastSuccess) string {
	var parts []string
	for _, l := range found {
		parts = append(parts, fmt.Sprintf("%s.%s=%s of %s", l.Pipeline, l.Datum.Name, l.Datum.Value, l.Run))
	}
	return strings.Join(parts, ", ")
}

// TestFindNewest holds what is found among random runs to the plain way of finding it.
func TestFindNewest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t)
		want := map[string]string{}
		for i := range rapid.IntRange(0, 8).Draw(rt, "runs") {
			p := past{namespace: "local", pipeline: "p", name: fmt.Sprint("r", i), at: i}
			p.status = rapid.SampledFrom([]record.Status{record.Succeeded, record.Failed, ""}).Draw(rt, "status")
			for _, name := range []string{"a", "b"} {
				if rapid.Bool().Draw(rt, "has") {
					p.outputs = append(p.outputs, number(name, i))
					if p.status == record.Succeeded {
						want[name] = fmt.Sprintf("p.%s=%d of %s", name, i, p.name)
					}
				}
			}
			put(rt, s, p)
		}
		var parts []string
		for _, name := range []string{"a", "b"} {
			if want[name] != "" {
				parts = append(parts, want[name])
			}
		}
		p := &program.Program{LastSuccess: []program.LastSuccess{{Pipeline: "p", Output: "a", Type: "number"}, {Pipeline: "p", Output: "b", Type: "number"}}}
		got, err := lastsuccess.Find(t.Context(), s, p, &record.Run{Namespace: "local"}, nil)
		if err != nil || text(got) != strings.Join(parts, ", ") {
			rt.Fatalf("%s, and should be %s (%v)", text(got), parts, err)
		}
	})
}

// counting is a store in memory that counts what is read of it, and how much at once.
type counting struct {
	store.Store
	objects           map[string]string
	broken            string // a key that can't be read
	delay             func() // called while a key is read; may be nil
	gets, now, atOnce atomic.Int64
}

func (c *counting) Put(_ context.Context, key string, r io.Reader, _ store.Mode) error {
	data, err := io.ReadAll(r)
	c.objects[key] = string(data)
	return err
}

func (c *counting) Get(_ context.Context, key string) (io.ReadCloser, error) {
	c.gets.Add(1)
	for now := c.now.Add(1); ; {
		if most := c.atOnce.Load(); now <= most || c.atOnce.CompareAndSwap(most, now) {
			break
		}
	}
	defer c.now.Add(-1)
	if c.delay != nil {
		c.delay()
	}
	text, ok := c.objects[key]
	switch {
	case key == c.broken:
		return nil, errors.New("it can't be read")
	case !ok:
		return nil, store.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (c *counting) List(_ context.Context, prefix, _ string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(c.objects)) {
			if strings.HasPrefix(key, prefix) && !yield(key, nil) {
				return
			}
		}
	}
}

// TestFindFar holds what is read of a long history: little where the newest runs do, some at a time, and no more than is said.
func TestFindFar(t *testing.T) {
	for _, c := range []struct {
		name         string
		failed       int // after the one that succeeded
		gets, atOnce int64
		fault        string
	}{
		{name: "the newest", failed: 0, gets: 3, atOnce: 1},
		{name: "the second", failed: 1, gets: 2 + 2*3, atOnce: 2},
		{name: "far back", failed: 200, gets: 200*2 + 17*3, atOnce: 16},
		{name: "the last that is looked at", failed: 999, gets: 999*2 + 3, atOnce: 16},
		{name: "too far back", failed: 1000, gets: 1000 * 2, atOnce: 16, fault: "none of the newest 1000 runs of pipeline p has succeeded and written its output x as number"},
	} {
		s := &counting{objects: map[string]string{}}
		for i := range 2*c.failed + 1 {
			p := past{namespace: "local", pipeline: "p", name: fmt.Sprint("r", i), at: i, status: record.Succeeded, outputs: []record.Datum{number("x", i)}}
			if i > c.failed {
				p.status = record.Failed
			}
			put(t, s, p)
		}
		// One that can't be read, behind the one that is found.
		s.broken = (&record.Run{Namespace: "local", Pipeline: "p", Name: fmt.Sprint("r", c.failed-1)}).EndKey()
		p := &program.Program{LastSuccess: []program.LastSuccess{{Pipeline: "p", Output: "x", Type: "number", Required: true}}}
		var got []record.LastSuccess
		var err error
		synctest.Test(t, func(t *testing.T) { // in which all that are read at once sleep at once
			s.delay = func() { time.Sleep(time.Millisecond) }
			got, err = lastsuccess.Find(t.Context(), s, p, &record.Run{Namespace: "local"}, nil)
		})
		var missing *lastsuccess.Missing
		switch {
		case c.fault != "" && (!errors.As(err, &missing) || !strings.Contains(missing.Message, c.fault)):
			t.Errorf("%s: %v", c.name, err)
		case c.fault == "" && (err != nil || text(got) != fmt.Sprintf("p.x=%d of r%d", c.failed, c.failed)):
			t.Errorf("%s: %s (%v)", c.name, text(got), err)
		}
		if s.gets.Load() > c.gets || s.atOnce.Load() != c.atOnce {
			t.Errorf("%s: %d were read, %d at once; want at most %d, and exactly %d", c.name, s.gets.Load(), s.atOnce.Load(), c.gets, c.atOnce)
		}
	}
}
