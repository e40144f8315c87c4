package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/record"
)

var update = flag.Bool("update", false, "rewrite the expected output")

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that only tests change.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

func ended(ms int, name string, status record.Status, change func(*record.StepEnd)) record.Event {
	e := &record.StepEnd{Name: name, Status: status, Attempts: 1, Attempt: 1, EndedAt: at(ms)}
	if change != nil {
		change(e)
	}
	return record.Event{Type: record.StepEnded, At: at(ms), Step: name, End: e}
}

func line(ms int, name, text string) record.Event {
	return record.Event{Type: record.StepLog, At: at(ms), Step: name, Attempt: 1, Text: text}
}

func started(ms int, name string) record.Event {
	return record.Event{Type: record.StepStarted, At: at(ms), Step: name, Attempt: 1}
}

// story is a run with every kind of event once.
func story() []record.Event {
	three := 3
	events := []record.Event{
		{Type: record.RunStarted, At: at(0)},
		started(0, "importer"),
		line(100, "importer", "reading \x1b[31mrows\x1b[0m"),
		line(150, "importer", "10%\r50%\r100%"),
		ended(1200, "importer", record.Succeeded, nil),
		{Type: record.CacheChecked, At: at(1200), Step: "features", From: "old-run"},
		ended(1200, "features", record.Succeeded, func(e *record.StepEnd) { e.Cached, e.Run, e.Attempts = true, "old-run", 0 }),
		started(1200, "trainer"),
		line(1300, "trainer", "epoch 1 \x1b]0;title\x07loss 0.5"),
		{Type: record.StepRetried, At: at(2000), Step: "trainer", Attempt: 1, Text: "attempt 1 failed with exit code 3; the next one starts in 1s"},
		line(3100, "trainer", "Traceback: boom"),
		ended(4000, "trainer", record.Failed, func(e *record.StepEnd) {
			e.Attempts, e.Attempt, e.ExitCode, e.Reason, e.Message = 2, 2, &three, record.ReasonError, "it ended with exit code 3"
		}),
		ended(4000, "evaluator", record.Skipped, func(e *record.StepEnd) {
			e.Attempts, e.Attempt, e.Reason, e.Message = 0, 0, record.ReasonUpstreamFailed, "trainer failed"
		}),
	}
	end := &record.End{Version: 1, Status: record.Failed, Reason: record.ReasonStepsFailed, Message: "trainer failed", At: at(4000),
		Outputs: []record.Datum{
			{Name: "accuracy", Type: "number", Value: json.RawMessage(`0.9688542825361512`)},
			{Name: "data", Type: "dataframe", Artifact: &record.Artifact{Digest: "sha256:0123456789abcdef0123456789abcdef", Size: 12_345, Format: `csv;{"rows":1}`}},
			{Name: "models", Type: "list(model)", Elems: []record.Datum{{}, {}}},
		}}
	for _, e := range events {
		if e.End != nil {
			end.Steps = append(end.Steps, *e.End)
		}
	}
	events = append(events, record.Event{Type: record.RunEnded, At: at(4000), RunEnd: end})
	for i := range events {
		events[i].Run = "digits-1"
	}
	return events
}

var steps = []string{"importer", "features", "trainer", "evaluator"}

// golden compares parts with testdata/name.txtar.
func golden(t *testing.T, name string, parts ...txtar.File) {
	t.Helper()
	path := filepath.Join("testdata", name+".txtar")
	for i := range parts {
		parts[i].Data = bytes.ReplaceAll(parts[i].Data, []byte("\x1b"), []byte("<ESC>"))
	}
	got := txtar.Format(&txtar.Archive{Files: parts})
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (-update rewrites it): got\n%s\nwant\n%s", path, got, want)
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"plain", Options{}},
		{"plain-color", Options{Color: true, Safe: true}},
		{"plain-step", Options{ByStep: true, Lines: func(step string, line func(record.Event)) error {
			line(record.Event{Step: step, Text: "all of " + step})
			if step == "trainer" {
				return errors.New("no such object")
			}
			return nil
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, messages bytes.Buffer
			c.o.Out, c.o.Messages, c.o.Now = &out, &messages, func() time.Time { return at(4000) }
			v := NewPlain(c.o)
			for _, e := range story() {
				v.Event(e)
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, txtar.File{Name: "stdout", Data: out.Bytes()}, txtar.File{Name: "stderr", Data: messages.Bytes()})
		})
	}
}

// TestPrintedOnce: a failure that the wrapper also logged is not printed twice, and a third Ctrl-C prints nothing.
func TestPrintedOnce(t *testing.T) {
	const why = `the step has an input "zz", but s:one has no such parameter`
	end := record.StepEnd{Name: "a", Status: record.Failed, Reason: record.ReasonInputInvalid, Message: why, Attempts: 1, Attempt: 1, EndedAt: at(5)}
	var out, messages bytes.Buffer
	v := NewPlain(Options{Out: &out, Messages: &messages, Steps: []string{"a"}})
	cancel := record.Event{Type: record.CancelRequested, At: at(4)}
	for _, e := range []record.Event{
		{Type: record.RunStarted, At: at(0), Run: "r"}, started(0, "a"), line(1, "a", "its own words"), line(2, "a", "pipec: "+why),
		cancel, cancel, cancel,
		{Type: record.StepEnded, At: at(5), Step: "a", End: &end},
		{Type: record.RunEnded, At: at(6), RunEnd: &record.End{Status: record.Failed, At: at(6), Steps: []record.StepEnd{end}}},
	} {
		v.Event(e)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	_, summary, _ := strings.Cut(messages.String(), "✗")
	if strings.Count(summary, why) != 1 || !strings.Contains(summary, "| its own words") {
		t.Errorf("the failure is not shown once, with the log before it:\n%s", summary)
	}
	if n := strings.Count(messages.String(), "immediately"); n != 1 {
		t.Errorf("the message about a third Ctrl-C is printed %d times:\n%s", n, messages.String())
	}
}

func TestFrames(t *testing.T) {
	events := story()
	o := &Options{}
	show := func(n, columns, rows, ms int) txtar.File {
		m := newModel(steps)
		for i := range events[:n] {
			m.event(&events[i])
		}
		var b strings.Builder
		for _, r := range m.frame(o, columns, rows, at(ms)) {
			fmt.Fprintln(&b, r.text)
		}
		return txtar.File{Name: fmt.Sprintf("%d events, %dx%d", n, columns, rows), Data: []byte(b.String())}
	}
	golden(t, "frames",
		show(1, 80, 24, 0), show(4, 80, 24, 500), show(9, 80, 24, 1500), show(10, 80, 24, 2500), show(len(events), 80, 24, 5000),
		show(9, 30, 24, 1500), show(9, 80, 5, 1500), show(len(events), 80, 4, 5000))
}

func TestManySteps(t *testing.T) {
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("s%04d", i))
	}
	m := newModel(names)
	for _, e := range []record.Event{
		started(0, "s0000"), ended(10, "s0000", record.Succeeded, nil), started(10, "s4999"), started(10, "s0001"),
		ended(20, "s0001", record.Failed, func(e *record.StepEnd) { e.Message = "boom" }), started(20, "s2500"),
	} {
		m.event(&e)
	}
	var b strings.Builder
	for _, r := range m.frame(&Options{}, 60, 9, at(1000)) {
		fmt.Fprintln(&b, r.text)
	}
	golden(t, "many", txtar.File{Name: "60x9", Data: []byte(b.String())})
}

// screen implements the part of a terminal that Tree uses.
type screen struct {
	lines []string
	row   int
	t     *testing.T
}

func (s *screen) Write(p []byte) (int, error) {
	text := string(p)
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\x1b["):
			n := escape(text)
			s.control(text[2:n])
			text = text[n:]
		case text[0] == '\n':
			s.row++
			text = text[1:]
		case text[0] == '\r':
			text = text[1:]
		default:
			n := strings.IndexAny(text, "\x1b\r\n")
			if n < 0 {
				n = len(text)
			}
			s.grow()
			s.lines[s.row] = text[:n]
			text = text[n:]
		}
	}
	return len(p), nil
}

func (s *screen) grow() {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, "")
	}
}

func (s *screen) control(c string) {
	var n int
	switch {
	case c == "J":
		s.grow()
		s.lines = s.lines[:s.row]
	case strings.HasSuffix(c, "A"):
		if _, err := fmt.Sscanf(c, "%dA", &n); err != nil || n > s.row {
			s.t.Errorf("the cursor goes up by %s from row %d", c, s.row)
		}
		s.row -= n
	}
}

// TestTreeRedraws: the screen shows the lines of the steps and, below them, the last frame only. The summary replaces it.
func TestTreeRedraws(t *testing.T) {
	s := &screen{t: t}
	c := &clock{epoch}
	var out bytes.Buffer
	tree := newTree(Options{Out: &out, Messages: s, Now: c.now, Steps: steps}, func() (int, int) { return 80, 24 })
	var written []string
	for _, e := range story() {
		tree.Event(e)
		c.at = e.At
		tree.draw()
		want := slices.Clone(written)
		if e.Type == record.StepLog {
			text := e.Step + " | " + Text(e.Text)
			written, want = append(written, text), append(want, text)
		}
		for _, r := range tree.m.frame(&tree.o, 80, 24, c.at) {
			want = append(want, r.text)
		}
		if got := strings.Join(s.lines, "\n"); got != strings.Join(want, "\n") {
			t.Fatalf("after %s: got\n%s", e.Type, got)
		}
	}
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.lines, "\n"); !strings.HasPrefix(got, strings.Join(written, "\n")+"\n\n✓ importer   succeeded     1.2s\n") ||
		!strings.Contains(got, "\n✗ trainer    failed        2.8s") || strings.Contains(got, "4 of 4 steps  4.0s") {
		t.Errorf("got\n%s", got)
	}
	if !strings.HasPrefix(out.String(), "accuracy = 0.9688542825361512\n") {
		t.Errorf("stdout: %s", out.String())
	}
}

// TestTreeLive draws concurrently with events, for the race detector.
func TestTreeLive(t *testing.T) {
	var out, messages bytes.Buffer
	tree := NewTree(Options{Out: &out, Messages: &messages, Steps: steps}, func() (int, int) { return 80, 24 })
	for _, e := range story() {
		tree.Event(e)
	}
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	if got := messages.String(); !strings.HasPrefix(got, hideCursor) || strings.Count(got, showCursor) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	v := NewJSON(&out)
	for _, e := range story() {
		v.Event(e)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(out.Bytes()) {
		var e record.Event
		if err := json.Unmarshal(line, &e); err != nil || e.Run != "digits-1" {
			t.Fatalf("%s: %v", line, err)
		}
		n++
	}
	if n != len(story()) {
		t.Errorf("%d lines", n)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrors(t *testing.T) {
	for _, v := range []View{NewJSON(broken{}), NewPlain(Options{Out: broken{}, Messages: &bytes.Buffer{}})} {
		for _, e := range story() {
			v.Event(e)
		}
		if err := v.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func TestSafe(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"}, {"a\x1b[31;1mb\x1b[0mc", "abc"}, {"a\x1b]8;;http://x\x1b\\b", "ab"}, {"a\x1b]0;t\x07b", "ab"},
		{"1%\r2%\r", "2%"}, {"a\tb\x00\x08c", "a bc"}, {"\x1b", ""}, {"\x1b[", ""}, {"\x1bcx", "x"}, {"\x9b31mx", "\uFFFD31mx"},
		{"\u202eabc", "abc"}, {"é\xff", "é\uFFFD"}, {"\x1b]unended", ""}, {"\u009b31m", "31m"},
	} {
		if got := safe(c.in, 0); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzSafe(f *testing.F) {
	for _, s := range []string{"a\x1b[31mb", "\x1b]0;t\x07", "1\r2", "é\xff", "\x1bP\x1b\\", "日本\u202e"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, max int) {
		max &= 0xff
		got := safe(s, max)
		if strings.ContainsFunc(got, unicode.IsControl) || !utf8.ValidString(got) || max > 0 && len(got) > max {
			t.Errorf("%q of %q", got, s)
		}
		if got := clip(safe(s, 0), max); width(got) > max {
			t.Errorf("%q has %d columns, not %d", got, width(got), max)
		}
	})
}

// TestFrameFits: no frame is larger than the screen.
func TestFrameFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "steps")
		m := newModel(nil)
		for i := range n {
			name := fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"a", "långt", "日本語", strings.Repeat("x", 60)}).Draw(t, "name"), i)
			m.step(name)
			for _, e := range []record.Event{started(i, name), line(i, name, rapid.String().Draw(t, "line")), ended(i+5, name, record.Failed, func(e *record.StepEnd) { e.Message = rapid.String().Draw(t, "message") })}[:rapid.IntRange(0, 3).Draw(t, "events")] {
				m.event(&e)
			}
		}
		columns, rows := rapid.IntRange(20, 200).Draw(t, "columns"), rapid.IntRange(4, 60).Draw(t, "rows")
		frame := m.frame(&Options{}, columns, rows, at(1000))
		if len(frame) >= rows {
			t.Fatalf("%d rows of %d", len(frame), rows)
		}
		for _, r := range frame {
			if width(r.text) >= columns || strings.ContainsFunc(r.text, unicode.IsControl) {
				t.Fatalf("%q has %d columns of %d", r.text, width(r.text), columns)
			}
		}
	})
}

func TestSizesAndTimes(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{size(0), "0 B"}, {size(999), "999 B"}, {size(1000), "1.0 kB"}, {size(999_999), "1.0 MB"}, {size(1 << 40), "1.1 TB"},
		{duration(-1), "0.0s"}, {duration(1290 * time.Millisecond), "1.2s"}, {duration(59_999 * time.Millisecond), "59.9s"},
		{duration(61 * time.Second), "1m01s"}, {duration(25 * time.Hour), "25h00m"}, {ShortDigest("short"), "short"},
		{Took(at(0), at(1500)), "1.5s"}, {Took(time.Time{}, at(0)), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
