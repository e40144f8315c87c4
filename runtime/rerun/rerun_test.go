package rerun_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// pipeline makes a program of lines "name: need need/soft"; a line that starts with ! is of finally.
func pipeline(lines ...string) *program.Program {
	p := &program.Program{Version: 1, Pipeline: "p"}
	for _, line := range lines {
		name, needs, _ := strings.Cut(line, ":")
		s := program.Step{Name: strings.TrimPrefix(name, "!"), Command: []program.Value{{Const: json.RawMessage(`"true"`)}}}
		for _, need := range strings.Fields(needs) {
			of, kind, ok := strings.Cut(need, "/")
			if !ok {
				kind = "output"
			}
			s.Needs = append(s.Needs, program.Need{Step: of, Kind: program.NeedKind(kind)})
		}
		if strings.HasPrefix(name, "!") {
			p.Finally = append(p.Finally, s)
		} else {
			p.Steps = append(p.Steps, s)
		}
	}
	return p
}

// ends makes an end of words "name=status" or "name=skipped/Reason".
func ends(words string) *record.End {
	e := &record.End{Version: 1, Status: record.Failed}
	for _, word := range strings.Fields(words) {
		name, status, _ := strings.Cut(word, "=")
		status, reason, _ := strings.Cut(status, "/")
		e.Steps = append(e.Steps, record.StepEnd{Name: name, Status: record.Status(status), Reason: reason})
	}
	return e
}

func show(decisions []rerun.Decision) string {
	var out []string
	for _, d := range decisions {
		if d.Keep {
			out = append(out, d.Step+": kept")
		} else {
			out = append(out, d.Step+": "+d.Why)
		}
	}
	return strings.Join(out, "\n")
}

func TestClosure(t *testing.T) {
	p := pipeline("a", "b: a", "c: b/soft", "d: a/status", "e", "!f: c/status")
	for _, c := range []struct{ only, want string }{
		{"a", "a"}, {"c", "a b c"}, {"d e", "a d e"}, {"f", "a b c f"}, {"c c b", "a b c"}, {"", ""},
	} {
		got, err := rerun.Closure(p, strings.Fields(c.only))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: got %q, %v; want %q", c.only, got, err, c.want)
		}
	}
	_, err := rerun.Closure(p, []string{"a", "x"})
	var unknown *rerun.UnknownStepError
	if !errors.As(err, &unknown) || unknown.Step != "x" || len(unknown.Have) != 6 {
		t.Errorf("got %v", err)
	}
}

func TestRerun(t *testing.T) {
	changed := func(p *program.Program, name string, change func(*program.Step)) *program.Program {
		for i := range p.Steps {
			if p.Steps[i].Name == name {
				change(&p.Steps[i])
			}
		}
		return p
	}
	base := []string{"a", "b: a", "c: b", "d: a", "!f: c/status"}
	all := "a=succeeded b=failed c=skipped/UpstreamFailed d=succeeded f=succeeded"
	for _, c := range []struct {
		name     string
		was, now *program.Program
		end      string
		only     []string
		want     string
	}{
		{"failed", pipeline(base...), pipeline(base...), all, nil,
			"a: kept\nb: failed\nc: was skipped\nd: kept\nf: finally always runs"},
		{"changed", pipeline(base...), changed(pipeline(base...), "a", func(s *program.Step) { s.Image = "other" }), all, nil,
			"a: changed\nb: failed\nc: was skipped\nd: depends on a\nf: finally always runs"},
		{"what changes no outputs", pipeline(base...), changed(pipeline(base...), "a", func(s *program.Step) { s.Doc, s.Retry.Attempts = "text", 7 }), all, nil,
			"a: kept\nb: failed\nc: was skipped\nd: kept\nf: finally always runs"},
		{"new and gone", pipeline("a", "b", "x: b"), pipeline("a", "n", "x: n"), "a=succeeded b=succeeded x=succeeded", nil,
			"a: kept\nn: new\nx: changed"},
		{"only", pipeline(base...), pipeline(base...), all, []string{"a", "b"}, "a: kept\nb: failed"},
		{"cancelled and timed out", pipeline("a", "b", "c"), pipeline("a", "b", "c"), "a=cancelled b=timed_out", nil,
			"a: was cancelled\nb: timed out\nc: was not part of it"},
		{"skipped again", pipeline("a", "b: a", "c: b/soft", "d"), pipeline("a", "b: a", "c: b/soft", "d"),
			"a=succeeded b=skipped/ConditionFalse c=succeeded d=failed", nil, "a: kept\nb: was skipped\nc: kept\nd: failed"},
		{"skipped for a failure", pipeline("a", "b: a", "c: b/status"), pipeline("a", "b: a", "c: b/status"),
			"a=failed b=skipped/UpstreamFailed c=succeeded", nil, "a: failed\nb: was skipped\nc: depends on b"},
	} {
		if got := show(rerun.Decide(c.was, ends(c.end), c.now, c.only, rerun.Change{}, nil)); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestOutputsGone(t *testing.T) {
	p := pipeline("a", "b: a", "c")
	got := show(rerun.Decide(p, ends("a=succeeded b=succeeded c=succeeded"), p, nil, rerun.Change{}, map[string]bool{"a": true}))
	if want := "a: its outputs are gone\nb: depends on a\nc: kept"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLongChain(t *testing.T) {
	lines, words := []string{"s0"}, []string{"s0=succeeded"}
	for i := 1; i < 20_000; i++ {
		lines = append(lines, fmt.Sprintf("s%d: s%d", i, i-1))
		words = append(words, fmt.Sprintf("s%d=succeeded", i))
	}
	p := pipeline(lines...)
	slices.Reverse(p.Steps) // the last is judged first
	if got := rerun.Kept(rerun.Decide(p, ends(strings.Join(words, " ")), p, nil, rerun.Change{}, nil)); len(got) != len(lines) {
		t.Errorf("%d of %d are kept", len(got), len(lines))
	}
}

// TestKeptIsClosed: what is kept succeeded and needs nothing that runs; what succeeded and is not kept depends on
// something that runs.
func TestKeptIsClosed(t *testing.T) {
	statuses := []string{"succeeded", "succeeded", "failed", "skipped/ConditionFalse", "skipped/UpstreamFailed", "cancelled"}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var lines, words []string
		for i := range n {
			line := fmt.Sprintf("s%d:", i)
			for j := range i {
				if rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
					line += fmt.Sprintf(" s%d", j)
				}
			}
			lines = append(lines, line)
			words = append(words, fmt.Sprintf("s%d=%s", i, rapid.SampledFrom(statuses).Draw(t, "status")))
		}
		p, end := pipeline(lines...), ends(strings.Join(words, " "))
		kept := map[string]bool{}
		decisions := rerun.Decide(p, end, p, nil, rerun.Change{}, nil)
		for _, d := range decisions {
			kept[d.Step] = d.Keep
		}
		for i, s := range p.Steps {
			ended := end.Steps[i]
			same := true
			for _, need := range s.Needs {
				j := slices.IndexFunc(end.Steps, func(e record.StepEnd) bool { return e.Name == need.Step })
				if !kept[need.Step] && end.Steps[j].Status != record.Skipped {
					same = false
				}
			}
			switch {
			case kept[s.Name] && (ended.Status != record.Succeeded || !same):
				t.Fatalf("%s is kept: %v", s.Name, decisions)
			case !kept[s.Name] && decisions[i].Why == "":
				t.Fatalf("%s runs without a reason", s.Name)
			}
		}
	})
}
