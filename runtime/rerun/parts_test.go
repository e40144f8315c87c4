package rerun_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// nested returns a program whose steps call a pipeline: load, call (n from load, rate from param.rate), fan (calls, one for
// each element), loop (calls in rounds), and each (instances that need those of fan).
func nested() *program.Program {
	ref := func(name, typ, ref string) program.Input {
		return program.Input{Name: name, Type: typ, Value: program.Value{Ref: ref}}
	}
	inner := program.Called{Name: "inner", Params: []program.Param{{Name: "n", Type: "number"}, {Name: "rate", Type: "number"}}}
	for _, s := range pipeline("a", "b: a", "c", "!f: c/status").All() {
		s := *s
		switch s.Name {
		case "b":
			s.Inputs = []program.Input{ref("rate", "number", "param.rate")}
		case "c":
			s.Inputs = []program.Input{ref("n", "number", "param.n")}
		case "f":
			inner.Finally = append(inner.Finally, s)
			continue
		}
		inner.Steps = append(inner.Steps, s)
	}
	p := pipeline("load", "call: load", "each: fan", "fan", "loop")
	p.Params = []program.Param{{Name: "rate", Type: "number"}}
	p.Called = []program.Called{inner}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Name == "load" {
			continue
		}
		if s.Name == "fan" || s.Name == "each" {
			s.ForEach = &program.ForEach{Value: program.Value{Const: json.RawMessage(`["x","y"]`)}, Type: "set(string)"}
		}
		if s.Name == "each" {
			s.Needs[0].Instance = "each.key"
			continue
		}
		s.Command, s.Call = nil, &program.Call{Pipeline: "inner"}
		s.Inputs = []program.Input{{Name: "n", Type: "number", Value: program.Value{Const: json.RawMessage("1")}}, ref("rate", "number", "param.rate")}
		switch s.Name {
		case "call":
			s.Inputs[0] = ref("n", "number", "step.load.n")
		case "loop":
			s.Repeat = &program.Repeat{Max: 3}
		}
	}
	return p
}

// nestedEnds is the end of a run of nested, in which all succeeded but the addresses in failed, and what they are part of.
func nestedEnds(failed ...string) *record.End {
	inner := func(at string) []string { return []string{at, at + ".a", at + ".b", at + ".c", at + ".f"} }
	names := append([]string{"load", "each", `each["x"]`, `each["y"]`, "fan", "loop"}, inner("call")...)
	for _, at := range []string{`fan["x"]`, `fan["y"]`, "loop#1", "loop#2"} {
		names = append(names, inner(at)...)
	}
	end := &record.End{Version: 1, Status: record.Succeeded}
	for _, name := range names {
		s := record.StepEnd{Name: name, Status: record.Succeeded}
		if slices.ContainsFunc(failed, func(f string) bool { return record.Address(f).Under(record.Address(name)) }) {
			s.Status, end.Status = record.Failed, record.Failed
		}
		end.Steps = append(end.Steps, s)
	}
	return end
}

// running returns the addresses that run, as KeptEvents leave them, without those that have parts.
func running(end *record.End, decisions []rerun.Decision) string {
	kept := map[string]bool{}
	for _, e := range rerun.KeptEvents(&record.Run{Name: "r"}, end.Steps, rerun.Kept(decisions), rerun.Redone(decisions)) {
		kept[e.Step] = true
	}
	var out []string
	for _, s := range end.Steps {
		parent := slices.ContainsFunc(end.Steps, func(o record.StepEnd) bool {
			above, ok := record.Address(o.Name).Parent()
			return ok && above.String() == s.Name
		})
		if !parent && !kept[s.Name] {
			out = append(out, s.Name)
		}
	}
	return strings.Join(out, " ")
}

func TestParts(t *testing.T) {
	change := func(name string, f func(*program.Step)) *program.Program {
		p := nested()
		for _, s := range p.Every() {
			if s.Name == name {
				f(s)
			}
		}
		return p
	}
	for _, c := range []struct {
		name   string
		now    *program.Program
		failed []string
		change rerun.Change
		want   string
	}{
		{"nothing", nested(), nil, rerun.Change{}, ""},
		{"a called step failed", nested(), []string{"call.c"}, rerun.Change{}, "call.c call.f"},
		{"its dependants run", nested(), []string{"call.a"}, rerun.Change{}, "call.a call.b call.f"},
		{"finally failed", nested(), []string{"call.f"}, rerun.Change{}, "call.f"},
		{"an instance failed", nested(), []string{`fan["x"].c`}, rerun.Change{}, `each["x"] fan["x"].c fan["x"].f`},
		{"a round failed", nested(), []string{"loop#2.b"}, rerun.Change{}, "loop#2.b loop#2.f"},
		{"rounds after it run", nested(), nil, rerun.Change{From: []string{"loop#1.b"}}, "loop#1.b loop#1.f loop#2.a loop#2.b loop#2.c loop#2.f"},
		{"from a step", nested(), nil, rerun.Change{From: []string{"load"}}, "load call.c call.f"},
		{"from a call", nested(), nil, rerun.Change{From: []string{"call"}}, "call.a call.b call.c call.f"},
		{"from an instance", nested(), nil, rerun.Change{From: []string{`fan["y"]`}}, `each["y"] fan["y"].a fan["y"].b fan["y"].c fan["y"].f`},
		{"a param", nested(), nil, rerun.Change{Params: []string{"rate"}},
			`each["x"] each["y"] call.b call.f fan["x"].b fan["x"].f fan["y"].b fan["y"].f loop#1.b loop#1.f loop#2.a loop#2.b loop#2.c loop#2.f`},
		{"another definition", change("c", func(s *program.Step) { s.Image = "other" }), nil, rerun.Change{},
			`each["x"] each["y"] call.c call.f fan["x"].c fan["x"].f fan["y"].c fan["y"].f loop#1.c loop#1.f loop#2.a loop#2.b loop#2.c loop#2.f`},
		{"another call", change("call", func(s *program.Step) { s.When = &program.Value{Ref: "param.rate"} }), nil, rerun.Change{}, "call.a call.b call.c call.f"},
		{"another input", change("call", func(s *program.Step) { s.Inputs[1].Value = program.Value{Const: json.RawMessage("7")} }), nil, rerun.Change{}, "call.b call.f"},
		{"more rounds", change("loop", func(s *program.Step) { s.Repeat.Max = 4 }), nil, rerun.Change{}, "loop#1.a loop#1.b loop#1.c loop#1.f loop#2.a loop#2.b loop#2.c loop#2.f"},
	} {
		end := nestedEnds(c.failed...)
		decisions := rerun.Decide(nested(), end, c.now, nil, c.change, nil)
		if got := running(end, decisions); got != c.want {
			t.Errorf("%s: runs\n%s, want\n%s\n%s", c.name, got, c.want, show(decisions))
		}
	}
}

func TestPartsShown(t *testing.T) {
	got := show(rerun.Decide(nested(), nestedEnds("call.c"), nested(), nil, rerun.Change{}, nil))
	want := "load: kept\ncall: failed\ncall.a: kept\ncall.b: kept\ncall.c: failed\ncall.f: finally always runs\neach: kept\nfan: kept\nloop: kept"
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestFromUnknown: an address that neither the program nor the run has is refused, with those that there are.
func TestFromUnknown(t *testing.T) {
	p, of := nested(), &record.Run{Name: "r", Pipeline: "p"}
	present := func(*record.StepEnd) bool { return true }
	for from, want := range map[string]string{"lod": "load", "call.d": "call.a", `fan["z"]`: `fan["x"]`, "load[0]": "load", "call[": "call"} {
		_, err := rerun.New(of, nestedEnds(), p, p, rerun.Change{From: []string{from}}, present)
		unknown, ok := err.(*rerun.UnknownStepError)
		if !ok || !slices.Contains(unknown.Have, want) {
			t.Errorf("%s: got %#v", from, err)
		}
	}
	if _, err := rerun.New(of, nestedEnds(), p, p, rerun.Change{From: []string{`fan["x"].b`}}, present); err != nil {
		t.Error(err)
	}
}

func TestClosureOfParts(t *testing.T) {
	for _, c := range []struct{ only, want string }{
		{"call.b", "call.a call.b load"}, {"call.f", "call.c call.f load"}, {"call.b call", "call load"}, {`fan["x"].b`, `fan["x"].a fan["x"].b`},
		{`each["x"]`, `each["x"] fan["x"]`}, {`each["x"] fan`, `each["x"] fan`}, {"each", "each fan"}, {`fan["x"] fan["y"].c`, `fan["x"] fan["y"].c`},
	} {
		got, err := rerun.Closure(nested(), strings.Fields(c.only))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.only, got, err, c.want)
		}
	}
	for _, name := range []string{"loop#1", "loop#1.b", "call.x", "load[0]"} {
		if _, err := rerun.Closure(nested(), []string{name}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestKeptPartsAreClosed: whatever failed, nothing is kept that did not succeed, nor after something of its pipeline that it
// needs runs, nor a round after one that runs.
func TestKeptPartsAreClosed(t *testing.T) {
	p := nested()
	var all []string
	for _, s := range nestedEnds().Steps {
		all = append(all, s.Name)
	}
	rapid.Check(t, func(t *rapid.T) {
		end := nestedEnds(rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "failed")...)
		c := rerun.Change{From: rapid.SliceOfN(rapid.SampledFrom(all), 0, 2).Draw(t, "from")}
		runs := strings.Fields(running(end, rerun.Decide(p, end, p, nil, c, nil)))
		for _, s := range end.Steps {
			leaf := !slices.ContainsFunc(end.Steps, func(o record.StepEnd) bool {
				return o.Name != s.Name && record.Address(o.Name).Under(record.Address(s.Name))
			})
			if leaf && s.Status != record.Succeeded && !slices.Contains(runs, s.Name) {
				t.Fatalf("%s is kept, and was %s", s.Name, s.Status)
			}
			for _, from := range c.From {
				if leaf && record.Address(s.Name).Under(record.Address(from)) && !slices.Contains(runs, s.Name) {
					t.Fatalf("%s is kept, and %s was named", s.Name, from)
				}
			}
			if before, ok := strings.CutSuffix(s.Name, ".b"); ok && slices.Contains(runs, before+".a") && !slices.Contains(runs, s.Name) {
				t.Fatalf("%s is kept, and %s.a runs", s.Name, before)
			}
		}
		first := slices.ContainsFunc(runs, func(r string) bool { return strings.HasPrefix(r, "loop#1") })
		if second := strings.Join(runs, " "); first && strings.Count(second, "loop#2") != 4 {
			t.Fatalf("a round is kept after one that runs: %v", runs)
		}
	})
}
