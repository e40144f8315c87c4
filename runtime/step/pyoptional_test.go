//go:build linux

package step_test

import (
	"strings"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Missing outputs of a python function, and outputs that are files. The outputs are named in declared order; `?` marks
// an optional one, and `=` is followed by its glob.
func TestPythonOptional(t *testing.T) {
	for _, c := range []struct {
		name, body string
		outputs    []string // name, type
		want       string
		says       []string
		reason     string
	}{
		{name: "None, whole", body: `return None`, outputs: []string{"a?", "image"}},
		{name: "a value, whole", body: `return 0`, outputs: []string{"a?", "number"}, want: "a=0"},
		{name: "None of any", body: `return None`, outputs: []string{"a?", "any"}},
		{name: "None of json", body: `return None`, outputs: []string{"a?", "json"}},
		{name: "None of model", body: `return None`, outputs: []string{"a?", "model"}},
		{name: "None in a tuple", body: `return 1, None`, outputs: []string{"b", "number", "a?", "image"}, want: "b=1"},
		{name: "both in a tuple", body: `return 1, 2`, outputs: []string{"b", "number", "a?", "number"}, want: "a=2 b=1"},
		{name: "a key that is missing", body: `return {"b": 1}`, outputs: []string{"b", "number", "a?", "image"}, want: "b=1"},
		{name: "None in a dict", body: `return {"b": 1, "a": None}`, outputs: []string{"b", "number", "a?", "image"}, want: "b=1"},
		{name: "the key of another", body: `return {"b": 1, "c": None}`, outputs: []string{"b", "number", "a?", "image"}, says: []string{"not declared: 'c'"}},
		{name: "a key that is needed", body: `return {"a": 1}`, outputs: []string{"b", "number", "a?", "number"}, says: []string{"missing: 'b'"}},
		{name: "None of all", body: `return None`, outputs: []string{"b?", "number", "a?", "image"}},
		{name: "None of not all", body: `return None`, outputs: []string{"b", "number", "a?", "image"}, says: []string{"2 outputs", "None"}},
		{name: "no key at all", body: `return {}`, outputs: []string{"b?", "number", "a?", "image"}},
		{name: "None inside is a value", body: `return {"x": None}`, outputs: []string{"a?", "any"}, want: `a={"x":null}`},
		{name: "the end before it returns", body: `import sys; sys.exit(0)`, outputs: []string{"a?", "any"}},
		{name: "the end before what is needed", body: `import sys; sys.exit(0)`, outputs: []string{"a?", "any", "b", "any"},
			says: []string{"before it returned", "outputs: 'b'"}, reason: record.ReasonOutputMissing},

		{name: "files beside the result", body: `open("x.txt", "w").write("x"); return 7`, outputs: []string{"f=*.txt", "list(text)", "a", "number"}, want: "a=7 f=[x]"},
		{name: "files alone", body: `open("x.txt", "w").write("x")`, outputs: []string{"f=*.txt", "list(text)"}, want: "f=[x]"},
		{name: "elsewhere by then", body: `
    import os
    open("x.txt", "w").write("x")
    os.chdir("/")`, outputs: []string{"f=*.txt", "text"}, want: "f=x"},
		{name: "files are no part of the result", body: `return 7, []`, outputs: []string{"f=*.txt", "list(text)", "a", "number"}, says: []string{"declared number"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := python(t, "steps:f", "def f():\n    "+c.body+"\n")
			for i := 0; i < len(c.outputs); i += 2 {
				out := program.Output{Name: c.outputs[i], Type: c.outputs[i+1]}
				out.Name, out.Optional = strings.CutSuffix(out.Name, "?")
				out.Name, out.Glob, _ = strings.Cut(out.Name, "=")
				x.spec.Program.OutputOrder = append(x.spec.Program.OutputOrder, out.Name)
				x.output(out)
			}
			if c.says != nil {
				if c.reason == "" {
					c.reason = record.ReasonOutputInvalid
				}
				x.fails(record.ClassUser, c.reason, c.says...)
				return
			}
			var got []string
			for _, d := range x.succeeds().Outputs {
				text := string(d.Value)
				if d.Value == nil {
					text = x.content(&d)
				}
				got = append(got, d.Name+"="+text)
			}
			if len(got) == 2 && got[0] > got[1] {
				got[0], got[1] = got[1], got[0]
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// An input whose default is null is None, and has no file.
func TestNullInput(t *testing.T) {
	x := python(t, "steps:f", "def f(a, b, c):\n    return [a, b, c] == [None, None, None]\n").
		value("a", "image", "null").value("b", "list(model)", "null").value("c", "number", "null").outputs("o", "bool")
	if r := x.succeeds(); string(r.Outputs[0].Value) != "true" {
		t.Errorf("%s", r.Outputs[0].Value)
	}
	y := sh(t, `[ -n "$PIPEC_INPUT_a" ] && [ ! -e "$PIPEC_INPUT_a" ] && [ ! -e "$PIPEC_INPUT_b" ] && cat $PIPEC_INPUT_c`).
		value("a", "image", "null").value("b", "list(model)", "null").value("c", "number", "null")
	if r := y.succeeds(); y.log(r) != "null\n" {
		t.Error(y.log(r))
	}
}
