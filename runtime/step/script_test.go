package step

import (
	"encoding/json"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

func TestScriptArguments(t *testing.T) {
	for args, want := range map[string]string{
		`null`: "",
		`{}`:   "",
		`{"max_depth": 3, "a": "x y", "rate": 0.10}`:                 "--a=x y|--max-depth=3|--rate=0.10",
		`{"verbose": true, "quiet": false, "seed": null}`:            "--verbose",
		`{"names": ["a", 1, true, null], "none": [], "minus": "-x"}`: "--minus=-x|--names|a|1|true",
		`{"-n": 3, "--Keep_This": "é"}`:                              "--Keep_This=é|-n|3",
		`["run", 1, "--fast"]`:                                       "run|1|--fast",
		`{"a": {"b": 1}}`:                                            `args.a: an option is a string, a number, a bool or a list of them, found an object({b = number}); jsonencode makes it a string`,
		`["run", [], ["--depth", [3, null]]]`:                        "run|--depth|3",
		`{"a": [[1], [[2]], null]}`:                                  "--a|1|2",
		`{"a": [[]]}`:                                                "",
		`{"a": [{"b": 1}]}`:                                          "args.a: an element is an object({b = number}), and can only be a string, a number, a bool or a list of them",
		`"--a"`:                                                      "args must be a map of options or a list of strings, found a string",
	} {
		s := &Spec{Program: program.Step{Script: "train.py", Args: &program.Value{Const: json.RawMessage(args)}}}
		argv, f := s.command()
		got := ""
		if f != nil {
			got = f.message
		} else {
			got = strings.Join(argv[3:], "|")
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", args, got, want)
		}
	}
}

// TestScriptLate checks options that are known only at run time.
func TestScriptLate(t *testing.T) {
	s := &Spec{
		Program: program.Step{Script: "train.py", Args: &program.Value{Expr: &expr.Expr{
			Text: "{ depth = param.depth, out = output.model.path }", Refs: []string{"output.model", "param.depth"}, Type: "object({ depth = any, out = string })",
		}}, Outputs: []program.Output{{Name: "model", Type: "model"}}},
		Refs: map[string]json.RawMessage{"param.depth": json.RawMessage("null")}, Root: "/r", Python: "/venv/bin/python",
	}
	argv, f := s.command()
	if f != nil {
		t.Fatal(f)
	}
	if got := strings.Join(argv, " "); got != "/venv/bin/python -u train.py --out=/r/outputs/model" {
		t.Error(got)
	}
}

func TestCommandPython(t *testing.T) {
	text := func(s string) program.Value { return program.Value{Const: json.RawMessage(`"` + s + `"`)} }
	for _, c := range []struct {
		program, python, want string
		env                   []program.Env
	}{
		{"python", "/venv/bin/python", "/venv/bin/python", nil},
		{"python3", "/venv/bin/python", "/venv/bin/python", nil},
		{"python3.9", "/venv/bin/python", "python3.9", nil},
		{"./python", "/venv/bin/python", "./python", nil},
		{"python", "", "python", nil},
		{"python", "/venv/bin/python", "python", []program.Env{{Name: "PATH", Value: text("/opt/bin")}}},
	} {
		s := &Spec{Python: c.python, Program: program.Step{Command: []program.Value{text(c.program), text("x.py")}, Env: c.env}}
		argv, f := s.command()
		if f != nil || argv[0] != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.program, argv, f, c.want)
		}
	}
}
