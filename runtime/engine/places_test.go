package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// places are where an expression is evaluated at run time. Each puts one into the step b, which reads the outputs of a.
var places = map[string]func(p *program.Program, b *program.Step, v program.Value){
	"when": func(_ *program.Program, b *program.Step, v program.Value) { b.When = &v },
	"for_each": func(_ *program.Program, b *program.Step, v program.Value) {
		b.ForEach = &program.ForEach{Value: v, Type: "any"}
	},
	"input": func(_ *program.Program, b *program.Step, v program.Value) {
		b.Inputs = []program.Input{{Name: "i", Type: "any", Value: v}}
	},
	"default": func(_ *program.Program, b *program.Step, v program.Value) {
		b.Inputs = []program.Input{{Name: "i", Type: "string", Value: v, Default: raw("null")}}
	},
	"command": func(_ *program.Program, b *program.Step, v program.Value) { b.Command = append(b.Command, v) },
	"list":    func(_ *program.Program, b *program.Step, v program.Value) { b.Command, b.CommandList = nil, &v },
	"env": func(_ *program.Program, b *program.Step, v program.Value) {
		b.Env = []program.Env{{Name: "E", Value: v}}
	},
	"until": func(_ *program.Program, b *program.Step, v program.Value) {
		b.Repeat = &program.Repeat{Max: 2, Until: &v}
	},
	"carry": func(_ *program.Program, b *program.Step, v program.Value) {
		b.Inputs = []program.Input{{Name: "i", Type: "any", Value: program.Value{Const: raw("1")}}}
		b.Repeat = &program.Repeat{Max: 2, Carry: []program.Carry{{Name: "i", Value: v}}}
	},
	"retry.when": func(_ *program.Program, b *program.Step, v program.Value) {
		b.Retry = program.Retry{Attempts: 2, When: &v}
	},
	"approval": func(_ *program.Program, b *program.Step, v program.Value) {
		b.Command, b.Approval = nil, &program.Approval{Message: v}
	},
	"call": func(p *program.Program, b *program.Step, v program.Value) {
		b.Command, b.Call = nil, &program.Call{Pipeline: "called"}
		b.Inputs = []program.Input{{Name: "i", Type: "any", Value: v}}
		p.Called = []program.Called{{Name: "called", OnFailure: "continue", Params: []program.Param{{Name: "i", Type: "any"}}, Steps: []program.Step{step("c")}}}
	},
	"output": func(p *program.Program, _ *program.Step, v program.Value) {
		p.Outputs = []program.Result{{Name: "o", Type: "any", Value: v}}
	},
}

// own are the names by which until and carry read the outputs of b, and all other places those of a.
func own(place, text string) string {
	if place == "until" || place == "carry" {
		return strings.ReplaceAll(text, "step.a.", "output.")
	}
	return text
}

// runPlace runs a program with an expression in a place, and returns the run's end.
func runPlace(t *testing.T, place, text string, values map[string]json.RawMessage) record.End {
	t.Helper()
	names := slices.Sorted(maps.Keys(values))
	a, b := step("a"), step("b", needs("soft", "a"))
	refs := make([]string, len(names))
	for i, name := range names {
		output(name, "any")(&a)
		refs[i] = "step.a." + name
	}
	if place == "until" || place == "carry" {
		b.Outputs = a.Outputs
	}
	for i := range refs {
		refs[i] = own(place, refs[i])
	}
	v := ex(own(place, text), "any", refs...)
	p := pipeline(a, b)
	places[place](p, &p.Steps[1], v)
	s, err := New(p, newRun(), 0)
	if err != nil {
		t.Fatal(err)
	}
	queue := []record.Event{{Type: record.RunStarted, At: epoch}}
	for steps := 0; len(queue) > 0; steps++ {
		var actions []Action
		_, actions = Next(s, queue[0])
		queue = queue[1:]
		for _, action := range actions {
			switch action := action.(type) {
			case StartAttempt:
				evaluateCommand(t, &action.Spec)
				e := record.Event{Type: record.AttemptEnded, Step: action.Step, Attempt: action.Attempt, At: epoch}
				e.Result = &record.Result{Status: record.Succeeded}
				if place == "retry.when" && action.Step == "b" {
					e.Result = &record.Result{Status: record.Failed, Class: record.ClassUser, Reason: record.ReasonError}
				}
				for _, out := range action.Def.Outputs {
					e.Result.Outputs = append(e.Result.Outputs, record.Datum{Name: out.Name, Type: "any", Value: values[out.Name]})
				}
				if steps < 200 {
					queue = append(queue, e)
				}
			case RequestApproval:
				queue = append(queue, record.Event{Type: record.ApprovalGiven, Step: action.Step, At: epoch, Answer: &record.Answer{}})
			case SetTimer:
				queue = append(queue, record.Event{Type: record.TimerFired, Timer: action.Name, At: action.At})
			case End:
				return action.End
			}
		}
	}
	return record.End{}
}

// evaluateCommand evaluates what the wrapper of an attempt does. It may fail, but never panics.
func evaluateCommand(t *testing.T, spec *Spec) {
	lookup := func(ref string) (cty.Value, error) {
		if string(spec.Refs[ref]) == "null" {
			return cty.NullVal(cty.DynamicPseudoType), nil
		}
		return types.FromJSON(spec.Refs[ref], cty.DynamicPseudoType)
	}
	var values []program.Value
	values = append(values, spec.Def.Command...)
	for i := range spec.Def.Env {
		values = append(values, spec.Def.Env[i].Value)
	}
	for i := range values {
		if v, err := values[i].EvalAs(lookup, cty.String); err == nil {
			_ = types.Text(v)
		} else if internal(err.Error()) {
			t.Fatal(err)
		}
	}
	if list := spec.Def.CommandList; list != nil {
		if v, err := list.EvalAs(lookup, cty.List(cty.String)); err == nil {
			v, part := types.Unmark(v)
			for _, arg := range v.AsValueSlice() {
				_ = types.Text(part(arg))
			}
		} else if internal(err.Error()) {
			t.Fatal(err)
		}
	}
}

// internal reports whether a message is one that no user should see.
func internal(message string) bool {
	for _, text := range []string{"internal error", "is not known", "there is no result", "goroutine", "panic"} {
		if strings.Contains(message, text) {
			return true
		}
	}
	return false
}

func messages(end *record.End) []string {
	out := []string{end.Message}
	for i := range end.Steps {
		out = append(out, end.Steps[i].Message)
	}
	return out
}

// TestNullInPlaces: a null where an expression needs a value fails the step alone, and the message names what is null.
func TestNullInPlaces(t *testing.T) {
	values := map[string]json.RawMessage{"x": raw(`{"tier":null,"list":[null]}`)}
	for _, c := range []struct{ place, text, status, message string }{
		{"when", `step.a.x.tier`, "failed ExpressionFailed", "when: step.a.x.tier is null, but a condition must be true or false"},
		{"when", `contains(["small"], step.a.x.tier)`, "skipped ConditionFalse", "its condition is false"},
		{"when", `contains(step.a.x.list, step.a.x.tier)`, "succeeded ", ""},
		{"when", `step.a.x.tier > 5`, "failed ExpressionFailed", "when: step.a.x.tier > 5: "},
		{"when", `step.a.x.tier == 5`, "skipped ConditionFalse", "its condition is false"},
		{"when", `step.a.x.tier != 5`, "succeeded ", ""},
		{"when", `!step.a.x.tier`, "failed ExpressionFailed", "when: !step.a.x.tier: "},
		{"when", `step.a.x.tier ? true : false`, "failed ExpressionFailed", "The condition value is null. Conditions must either be true or false"},
		{"for_each", `step.a.x.tier`, "failed ExpressionFailed", "for_each: step.a.x.tier is null, but it must be a list, a set or a map"},
		{"until", `step.a.x.tier`, "failed ExpressionFailed", "repeat.until: output.x.tier is null, but a condition must be true or false"},
		{"retry.when", `step.a.x.tier`, "failed Error", "not retried: retry.when: step.a.x.tier is null, but a condition must be true or false"},
		{"input", `step.a.x.tier`, "failed InputInvalid", `input "i": step.a.x.tier is null`},
		{"default", `step.a.x.tier`, "succeeded ", ""},
		{"call", `step.a.x.tier`, "failed InputInvalid", `input "i": step.a.x.tier is null`},
		{"approval", `"${step.a.x.tier}"`, "failed ExpressionFailed", "message: "},
		{"approval", `step.a.x.tier`, "failed ExpressionFailed", "message: step.a.x.tier is null"},
	} {
		end := runPlace(t, c.place, c.text, values)
		if len(end.Steps) < 2 {
			t.Errorf("%s = %s: the run has not ended", c.place, c.text)
			continue
		}
		b := end.Steps[1]
		if got := string(b.Status) + " " + b.Reason; got != c.status || !strings.Contains(b.Message, c.message) {
			t.Errorf("%s = %s: %s: %s, want %s: %s", c.place, c.text, got, b.Message, c.status, c.message)
		}
		if end.Steps[0].Status != record.Succeeded {
			t.Errorf("%s = %s: a %s", c.place, c.text, end.Steps[0].Status)
		}
	}
}

// FuzzPlaces calls functions with any JSON in every place of an expression at run time. No value of a user may lead to a panic or
// to an unknown value.
func FuzzPlaces(f *testing.F) {
	functions := slices.Sorted(maps.Keys(expr.Functions()))
	sites := slices.Sorted(maps.Keys(places))
	for i, json := range []string{
		`null`, `[]`, `{}`, `-1`, `0.5`, `1e300`, `true`, `"a\nb"`, `["a",1]`, `[null]`, `{"a":null}`, `{"a":[1,[2,"x"]]}`, `"%1000000000d"`,
		`"{\"a\":1,\"a\":2}"`, `"(a"`, `"2026-01-02T03:04:05Z"`, `"\ufeffa,a\n1,2"`, `[[],{}]`, `"é"`,
	} {
		for j := range functions {
			f.Add(uint8(j), uint8(i+j), uint8(i*7+j), uint8(i), []byte(json), []byte(`["a", null]`), []byte(`2`))
		}
	}
	f.Fuzz(func(t *testing.T, function, inner, place, shape uint8, x, y, z []byte) {
		values := map[string]json.RawMessage{}
		for name, data := range map[string][]byte{"x": x, "y": y, "z": z} {
			if _, err := types.FromJSON(data, cty.DynamicPseudoType); err != nil && string(data) != "null" {
				return
			}
			values[name] = data
		}
		args := []string{"step.a.x", "step.a.y", "step.a.z"}[:1+shape%3]
		if shape&4 != 0 {
			args[0] = functions[int(inner)%len(functions)] + "(" + strings.Join(args, ", ") + ")"
		}
		if shape&8 != 0 {
			args[len(args)-1] += "..."
		}
		text := functions[int(function)%len(functions)] + "(" + strings.Join(args, ", ") + ")"
		switch shape >> 4 {
		case 1:
			text = "[for k, v in step.a.x : " + text + " if v != null]"
		case 2:
			text = text + " == step.a.y ? step.a.z : " + text
		case 3:
			text = `"<${` + text + `}>"`
		case 4:
			text = text + " + step.a.z * step.a.x"
		case 5:
			text = "try(" + text + ".a[0], step.a.y[step.a.z], null)"
		}
		site := sites[int(place)%len(sites)]
		start := time.Now()
		end := runPlace(t, site, text, values)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s = %s takes %s", site, text, took)
		}
		for _, message := range messages(&end) {
			if internal(strings.ReplaceAll(message, text, "")) {
				t.Fatalf("%s = %s with %s, %s, %s: %s", site, text, x, y, z, message)
			}
		}
	})
}

// A panic of the engine itself ends the run as failed, the same each time, and nothing after that does anything.
func TestAbort(t *testing.T) {
	var ends []record.End
	for range 2 {
		s, err := New(pipeline(step("a"), step("b"), step("c", needs("order", "a"))), newRun(), 0)
		if err != nil {
			t.Fatal(err)
		}
		Next(s, record.Event{Type: record.RunStarted, At: epoch})
		s.graph.nodes[0].step = nil
		ended := record.Event{Type: record.AttemptEnded, Step: "a", Attempt: 1, At: epoch, Result: &record.Result{Status: record.Succeeded}}
		_, actions := Next(s, ended)
		if len(actions) != 3 || actions[0].(StopAttempt).Step != "a" || actions[1].(StopAttempt).Step != "b" {
			t.Fatalf("the actions are %+v", actions)
		}
		ends = append(ends, actions[2].(End).End)
		if _, more := Next(s, ended); more != nil || !s.Ended() {
			t.Errorf("after the end: %+v", more)
		}
	}
	end := ends[0]
	if end.Status != record.Failed || end.Reason != record.ReasonInternal || !strings.Contains(end.Message, "internal error of pipec in engine.") {
		t.Errorf("the end is %+v", end)
	}
	if ends[1].Message != end.Message || len(end.Steps) != 3 {
		t.Errorf("the ends are %+v", ends)
	}
	for _, st := range end.Steps {
		if !st.Status.Ended() {
			t.Errorf("%s is %s", st.Name, st.Status)
		}
	}
}
