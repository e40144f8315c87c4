//go:build linux

package step_test

import (
	"os"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

// The result reports every way in which a function can end, and what it did to the process.
func TestPythonEnds(t *testing.T) {
	for _, c := range []struct {
		name, body string
		reason     string // "" for success
		code       int    // of a failure by the user's exit; -1 for none
		says, log  []string
		not        []string // in the log
	}{
		{name: "changes the directory", body: "os.chdir('/')\n    return 1"},
		{name: "removes the directory", body: "import shutil\n    shutil.rmtree(os.getcwd())\n    return 1"},
		{name: "closes stdout", body: "print('last'); sys.stdout.close()\n    return 1", log: []string{"last"}},
		{name: "closes its descriptors", body: "os.close(1); os.close(2)\n    return 1"},
		{name: "closes and raises", body: "sys.stdout.close(); sys.stderr.close()\n    raise ValueError('bad')", reason: record.ReasonError, code: 1,
			says: []string{"ValueError: bad"}, log: []string{"steps.py\", line 5, in f", "ValueError: bad"}},
		{name: "replaces stderr", body: "import io\n    sys.stderr = io.StringIO()\n    raise ValueError('bad')", reason: record.ReasonError, code: 1,
			says: []string{"ValueError: bad"}, log: []string{"ValueError: bad"}},
		{name: "no streams", body: "sys.stdout = sys.stderr = sys.__stderr__ = None\n    raise ValueError('bad')", reason: record.ReasonError, code: 1,
			says: []string{"ValueError: bad"}, log: []string{"ValueError: bad"}},
		{name: "exit 0", body: "sys.exit(0)", reason: record.ReasonOutputMissing, code: -1, says: []string{"steps:f", "sys.exit", "'a'"}, not: []string{"Traceback"}},
		{name: "exit", body: "sys.exit()", reason: record.ReasonOutputMissing, code: -1, says: []string{"sys.exit"}},
		{name: "exit with words", body: "sys.exit('no data')", reason: record.ReasonError, code: 1, says: []string{"no data"}, log: []string{"no data\n"}, not: []string{"Traceback"}},
		{name: "exit with outputs", body: "open(os.environ['PIPEC_OUTPUT_a'], 'w').write('1')\n    sys.exit(0)"},
		{name: "_exit", body: "os._exit(0)", reason: record.ReasonOutputMissing, code: 0, says: []string{"before the function returned"}},
		{name: "_exit 7", body: "os._exit(7)", reason: record.ReasonError, code: 7, says: []string{"exit code 7"}},
		{name: "interrupt", body: "raise KeyboardInterrupt", reason: record.ReasonError, code: 130, says: []string{"KeyboardInterrupt"}, log: []string{"steps.py\", line 4"}},
		{name: "recursion", body: "return f()", reason: record.ReasonError, code: 1, says: []string{"RecursionError"}, log: []string{"[Previous line repeated"}},
		{name: "in a coroutine", body: "async def g(): return 1 / 0\n    return g()", reason: record.ReasonError, code: 1, says: []string{"ZeroDivisionError"},
			log: []string{"Traceback", "in g"}, not: []string{"asyncio"}},
		{name: "in its own pickle", body: "return Odd()", reason: record.ReasonOutputInvalid, code: -1, says: []string{"'a'", "no pickle today"}, log: []string{"in __reduce__"}},
		{name: "wrong call", body: "return f(1)", reason: record.ReasonError, code: 1, says: []string{"takes 0 positional"}, log: []string{"Traceback"}},
		{name: "an error without words", body: "raise Mute()", reason: record.ReasonError, code: 1, says: []string{"Mute"}, log: []string{"in f"}},
		{name: "many at once", body: "many = ExceptionGroup if sys.version_info >= (3, 11) else lambda _, e: e[1]\n    raise many('all', [ValueError('one'), deep()])",
			reason: record.ReasonError, code: 1, log: []string{"ZeroDivisionError", "in deep", "in f"}},
		{name: "processes of its own", body: "import concurrent.futures as c, multiprocessing as m\n" +
			"    with c.ProcessPoolExecutor(1, mp_context=m.get_context('spawn')) as pool:\n        return pool.submit(abs, -1).result() + pool.submit(one).result()"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := "import os, sys\ndef f():\n    pass\n    " + c.body + `
def one(): return 1
def deep():
    try:
        1 / 0
    except Exception as e:
        return e
class Mute(Exception):
    def __str__(self): raise ValueError("no words")
class Odd:
    def __reduce__(self): raise ValueError("no pickle today")
`
			typ := "number"
			if strings.Contains(c.name, "pickle") {
				typ = "model"
			}
			x := python(t, "steps:f", source).outputs("a", typ)
			var r record.Result
			if c.reason == "" {
				r = x.succeeds()
			} else {
				r = x.fails(record.ClassUser, c.reason, c.says...)
				if (r.ExitCode == nil) != (c.code < 0) || r.ExitCode != nil && *r.ExitCode != c.code {
					t.Errorf("exit code %v", r.ExitCode)
				}
			}
			log := x.log(r)
			for _, want := range c.log {
				if !strings.Contains(log, want) {
					t.Errorf("the log doesn't say %q:\n%s", want, log)
				}
			}
			for _, not := range append(c.not, "_pipec_runner", "runner.zip", "importlib") {
				if strings.Contains(log, not) {
					t.Errorf("the log shows %s:\n%s", not, log)
				}
			}
		})
	}
	python(t, "steps:f", "import sys\ndef f(): sys.exit(0)\n").succeeds() // it has no outputs
}

// The functions of the digits example, with one attempt per step.
func TestPythonDigits(t *testing.T) {
	source, err := os.ReadFile("../../examples/digits/src/steps.py")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]record.Datum{}
	var last *trial
	run := func(function string, inputs []string, outputs ...string) {
		t.Helper()
		x := python(t, "steps:"+function, string(source)).scientific().outputs(outputs...)
		for i := 0; i < len(outputs); i += 2 {
			x.spec.Program.OutputOrder = append(x.spec.Program.OutputOrder, outputs[i])
		}
		if last != nil {
			x.deps.Store, x.store, x.spec.Code = last.store, last.store, last.spec.Code
		}
		x.spec.AttemptDir += "/" + function
		for _, name := range inputs {
			in := have[name]
			in.Name = name
			x.spec.Inputs = append(x.spec.Inputs, in)
		}
		for _, d := range x.succeeds().Outputs {
			have[d.Name] = d
		}
		last = x
	}
	have["gamma"] = record.Datum{Type: "number", Value: []byte("0.001")}
	run("importer", nil, "X_train", "ndarray", "X_test", "ndarray", "y_train", "ndarray", "y_test", "ndarray")
	run("svc_trainer", []string{"X_train", "gamma", "y_train"}, "model", "model")
	run("evaluator", []string{"X_test", "model", "y_test"}, "accuracy", "number")
	have["reference_input"], have["comparison_input"] = have["X_train"], have["X_test"]
	run("skew_comparison", []string{"comparison_input", "reference_input"}, "reference", "dataframe", "comparison", "dataframe")
	if got := string(have["accuracy"].Value); got != "0.9688542825361512" {
		t.Errorf("accuracy %s", got)
	}
	for _, name := range []string{"reference", "comparison"} {
		if a := have[name].Artifact; a == nil || a.Size == 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
