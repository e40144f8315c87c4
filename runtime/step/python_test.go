//go:build linux

package step_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// python returns a step with a function in the module steps.py.
func python(t *testing.T, function, source string) *trial {
	t.Helper()
	x := newTrial(t, "unused")
	x.spec.Program.Command, x.spec.Program.Python = nil, function
	x.spec.Python = needs(t, "python3")
	src := t.TempDir()
	if err := os.WriteFile(filepath.Join(src, "steps.py"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := store.Pack(context.Background(), x.store, store.Bundle{Dir: src})
	if err != nil {
		t.Fatal(err)
	}
	x.spec.Code = a.Digest
	return x
}

// scientificPython finds an interpreter with the libraries for all artifact types: the system's if they are installed
// there.
var scientificPython = sync.OnceValue(func() string {
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import numpy, pandas, sklearn, PIL, matplotlib").Run() == nil {
			return path
		}
	}
	return ""
})

// scientific lets the step use numpy, pandas and similar packages. On CI they must be installed.
func (x *trial) scientific() *trial {
	x.t.Helper()
	x.spec.Python = scientificPython()
	const missing = "there is no interpreter with numpy, pandas, scikit-learn, PIL and matplotlib"
	switch {
	case x.spec.Python == "" && os.Getenv("CI") != "":
		x.t.Fatal(missing)
	case x.spec.Python == "":
		x.t.Skip(missing)
	}
	return x
}

func TestPythonFunction(t *testing.T) {
	x := python(t, "steps:f", `
import os, sys
def f(a, b, c="default", *, d=None):
    print("a is", a, "c is", c)
    print("arguments", sys.argv, file=sys.stderr)
    assert sys.path[0] == os.getcwd()
    return a + b["x"][1]
`).value("a", "number", "40").value("b", "any", `{"x":[1,2]}`).outputs("sum", "number")
	r := x.succeeds()
	if string(r.Outputs[0].Value) != "42" {
		t.Errorf("%s", r.Outputs[0].Value)
	}
	if log := x.log(r); log != "a is 40 c is default\narguments ['steps:f']\n" {
		t.Errorf("%s", log)
	}
	if _, err := os.Stat(filepath.Join(x.spec.Root, "code", "__pycache__")); err == nil {
		t.Error("byte code was written beside the code")
	}
}

func TestPythonResults(t *testing.T) {
	for _, c := range []struct {
		name, body string
		outputs    []string
		want       string // values of a success
		says       []string
	}{
		{name: "tuple in declared order", body: `return 1, "x"`, outputs: []string{"z", "number", "a", "string"}, want: `a="x" z=1`},
		{name: "dict", body: `return {"a": "x", "z": 1}`, outputs: []string{"z", "number", "a", "string"}, want: `a="x" z=1`},
		{name: "one output whole", body: `return (1, 2)`, outputs: []string{"a", "list(number)"}, want: `a=[1,2]`},
		{name: "one output a dict", body: `return {"a": 1}`, outputs: []string{"a", "any"}, want: `a={"a":1}`},
		{name: "sets", body: `return {"b", "a"}`, outputs: []string{"a", "set(string)"}, want: `a=["a","b"]`},
		{name: "text", body: `return "ä\n"`, outputs: []string{"a", "string"}, want: `a="ä\n"`},
		{name: "coroutine", body: `
    async def g():
        return 7
    return g()`, outputs: []string{"a", "number"}, want: `a=7`},
		{name: "none wanted", body: `return None`},
		{name: "too few", body: `return (1,)`, outputs: []string{"z", "number", "a", "number"}, says: []string{"2 outputs", "z, a", "tuple of 1"}},
		{name: "no tuple", body: `return 1`, outputs: []string{"z", "number", "a", "number"}, says: []string{"2 outputs", "an int"}},
		{name: "wrong keys", body: `return {"a": 1, "y": 2}`, outputs: []string{"z", "number", "a", "number"}, says: []string{"missing: 'z'", "not declared: 'y'"}},
		{name: "NaN", body: `return float("nan")`, outputs: []string{"a", "number"}, says: []string{"'a' contains nan"}},
		{name: "deep NaN", body: `return {"x": [1, float("inf")]}`, outputs: []string{"a", "any"}, says: []string{"contains inf at ['x'][1]"}},
		{name: "None", body: `return None`, outputs: []string{"a", "number"}, says: []string{"declared number", "returned None", "optional = true"}},
		{name: "wrong value", body: `return "1"`, outputs: []string{"a", "number"}, says: []string{"expected a number", "a str"}},
		{name: "no value", body: `return object()`, outputs: []string{"a", "any"}, says: []string{"an object"}},
		{name: "circle", body: `
    x = []
    x.append(x)
    return x`, outputs: []string{"a", "any"}, says: []string{"contains itself"}},
		{name: "no file", body: `return "/no/such/file"`, outputs: []string{"a", "file"}, says: []string{"/no/such/file", "there is no file"}},
		{name: "no text", body: `return 1`, outputs: []string{"a", "html"}, says: []string{"declared html", "an int"}},
		{name: "no list", body: `return 1`, outputs: []string{"a", "list(text)"}, says: []string{"list(text)", "an int"}},
		{name: "no pickle", body: `return lambda: 1`, outputs: []string{"a", "model"}, says: []string{"can't be pickled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := python(t, "steps:f", "def f():\n    "+c.body+"\n")
			for i := 0; i < len(c.outputs); i += 2 {
				x.spec.Program.OutputOrder = append(x.spec.Program.OutputOrder, c.outputs[i])
			}
			for i := len(c.outputs) - 2; i >= 0; i -= 2 { // the tables above declare z before a
				x.outputs(c.outputs[i], c.outputs[i+1])
			}
			if c.says != nil {
				r := x.fails(record.ClassUser, record.ReasonOutputInvalid, c.says...)
				if log := x.log(r); strings.Contains(log, "_pipec_runner") || strings.Contains(log, "Traceback") {
					t.Errorf("the log shows the runner:\n%s", log)
				}
				return
			}
			var got []string
			for _, d := range x.succeeds().Outputs {
				got = append(got, d.Name+"="+string(d.Value))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s", got)
			}
		})
	}
	x := python(t, "steps:f", "def f():\n    return 5\n")
	if log := x.log(x.succeeds()); !strings.Contains(log, "an int") || !strings.Contains(log, "no outputs") {
		t.Errorf("%s", log)
	}
}

func TestPythonFaults(t *testing.T) {
	for _, c := range []struct {
		name, function, source string
		inputs                 []string
		reason                 string
		code                   int // of the user's exit; -1: the runner found it
		says                   []string
		log                    []string
	}{
		{name: "exception", function: "steps:f", source: "def g():\n    raise ValueError('bad gamma')\ndef f():\n    g()\n",
			reason: record.ReasonError, code: 1, says: []string{"ValueError: bad gamma"},
			log: []string{"Traceback (most recent call last):", "steps.py\", line 4, in f", "steps.py\", line 2, in g", "ValueError: bad gamma"}},
		{name: "with a cause", function: "steps:f", source: "def f():\n    try:\n        1/0\n    except Exception as e:\n        raise RuntimeError('outer') from e\n",
			reason: record.ReasonError, code: 1, says: []string{"RuntimeError: outer"}, log: []string{"ZeroDivisionError", "direct cause"}},
		{name: "exit", function: "steps:f", source: "import sys\ndef f():\n    sys.exit(9)\n", reason: record.ReasonError, code: 9, says: []string{"exit code 9"}},
		{name: "import fails", function: "steps:f", source: "import json\nimport no_such_thing\n", reason: record.ReasonError, code: 1,
			says: []string{"No module named 'no_such_thing'", "the interpreter is /", "PIPEC_PYTHON"}, log: []string{"steps.py\", line 2"}},
		{name: "syntax", function: "steps:f", source: "def f(:\n", reason: record.ReasonError, code: 1, says: []string{"SyntaxError"}, log: []string{"steps.py\", line 1"}},
		{name: "no module", function: "step:f", source: "", reason: record.ReasonError, code: -1, says: []string{"no module 'step'", "did you mean 'steps'", "interpreter /"}},
		{name: "no submodule", function: "steps.x:f", source: "", reason: record.ReasonError, code: -1, says: []string{"no module 'steps.x'"}},
		{name: "no function", function: "steps:trian", source: "def train(): pass\nfrom json import dumps\n", reason: record.ReasonError, code: -1, says: []string{"no function 'trian'", "did you mean 'train'", "its functions: 'train')"}},
		{name: "no callable", function: "steps:f", source: "f = 1\n", reason: record.ReasonError, code: -1, says: []string{"not a function"}},
		{name: "parameter without input", function: "steps:f", source: "def f(a, gama): pass\n", inputs: []string{"a", "gamma"}, reason: record.ReasonInputInvalid, code: -1,
			says: []string{"parameter 'gama'", "did you mean 'gamma'", "its inputs: 'a', 'gamma'"}},
		{name: "input without parameter", function: "steps:f", source: "def f(a, c=1): pass\n", inputs: []string{"a", "b"}, reason: record.ReasonInputInvalid, code: -1,
			says: []string{"an input 'b'", "its parameters: 'a', 'c'"}},
		{name: "any name", function: "steps:f", source: "import sys\ndef f(*args, **kw): sys.exit(kw['b'] + 2)\n", inputs: []string{"a", "b"}, reason: record.ReasonError, code: 3},
		{name: "by position only", function: "steps:f", source: "def f(a, /): pass\n", inputs: []string{"a"}, reason: record.ReasonInputInvalid, code: -1, says: []string{"positional-only"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := python(t, c.function, c.source)
			for _, name := range c.inputs {
				x.value(name, "number", "1")
			}
			r := x.fails(record.ClassUser, c.reason, c.says...)
			if (r.ExitCode == nil) != (c.code < 0) || r.ExitCode != nil && *r.ExitCode != c.code {
				t.Errorf("exit code %v", r.ExitCode)
			}
			log := x.log(r)
			for _, want := range c.log {
				if !strings.Contains(log, want) {
					t.Errorf("the log doesn't say %q:\n%s", want, log)
				}
			}
			for _, not := range []string{"_pipec_runner", "runner.zip", "importlib"} {
				if strings.Contains(log, not) {
					t.Errorf("the log shows %s:\n%s", not, log)
				}
			}
		})
	}
	x := python(t, "steps:f", "")
	x.spec.Python = "/no/python"
	x.fails(record.ClassUser, record.ReasonStart, "/no/python")
}

// Artifacts of every kind are passed from one function through the store to another.
func TestPythonArtifacts(t *testing.T) {
	const source = `
import pathlib, os
import numpy as np, pandas as pd

def frame():
    df = pd.DataFrame({"i": [1, 2], "f": [0.5, np.nan], "s": ["001", "x"], "d": pd.to_datetime(["2020-01-01", "2021-02-03 04:05"])})
    return df

def make():
    from sklearn.linear_model import LinearRegression
    from PIL import Image
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    model = LinearRegression().fit([[0], [1]], [0, 2])
    d = pathlib.Path(os.environ["TMPDIR"], "dir")
    (d / "sub").mkdir(parents=True)
    (d / "sub" / "f").write_text("in a directory")
    f = pathlib.Path("made.txt")
    f.write_text("a file")
    figure = plt.figure()
    return dict(array=np.arange(6.0).reshape(2, 3), blob=b"\0\1", df=frame(), dir=d, doc=frame(), figure=figure, file=f,
        image=Image.new("RGB", (2, 3)), ints=pd.DataFrame(np.eye(2)), indexed=frame().set_index("s"), j={"a": [1, np.float32(0.5)]},
        model=model, models=[model, "text"], named={"a/b": "1", "c": "2"}, score=np.float64(0.25), scores=np.array([[1, 2]]), text="päper")

def check(array, blob, df, dir, doc, figure, file, image, ints, indexed, j, model, models, named, score, scores, text):
    assert array.shape == (2, 3) and array[1, 2] == 5
    assert blob == b"\0\1"
    pd.testing.assert_frame_equal(df, frame())
    assert (dir / "sub" / "f").read_text() == "in a directory"
    assert "<table" in doc
    assert figure.format == "PNG" and image.size == (2, 3)
    assert file.read_text() == "a file"
    pd.testing.assert_frame_equal(ints, pd.DataFrame(np.eye(2)))
    pd.testing.assert_frame_equal(indexed, frame().set_index("s"))
    assert j == {"a": [1, 0.5]}
    assert abs(model.predict([[2]])[0] - 4) < 1e-9
    assert abs(models[0].predict([[2]])[0] - 4) < 1e-9 and models[1] == "text"
    assert named == {"a/b": "1", "c": "2"}
    assert score == 0.25 and scores == [[1, 2]] and text == "päper"
    array[0, 0] = 7
    print("all is well")
`
	kinds := []string{"array", "ndarray", "blob", "bytes", "df", "dataframe", "dir", "directory", "doc", "html", "figure", "image", "file", "file",
		"image", "image", "indexed", "dataframe", "ints", "dataframe", "j", "json", "model", "model", "models", "list(model)", "named", "map(text)",
		"score", "number", "scores", "list(list(number))", "text", "text"}
	x := python(t, "steps:make", source).scientific().outputs(kinds...)
	r := x.succeeds()
	formats := map[string]string{}
	for _, d := range r.Outputs {
		if d.Artifact != nil {
			formats[d.Name], _, _ = strings.Cut(d.Artifact.Format, ";")
		}
	}
	if formats["array"] != "npy" || formats["figure"] != "png" || formats["model"] != "joblib" || formats["df"] != "csv" && formats["df"] != "parquet" {
		t.Errorf("%v", formats)
	}
	y := python(t, "steps:check", source).scientific()
	y.deps.Store, y.store = x.store, x.store
	y.spec.Code, y.spec.AttemptDir, y.spec.Inputs = x.spec.Code, x.spec.AttemptDir+"/next", r.Outputs
	if log := y.log(y.succeeds()); log != "all is well\n" {
		t.Errorf("%s", log)
	}
}

func TestPythonNumpyFaults(t *testing.T) {
	x := python(t, "steps:f", "import numpy as np\ndef f(): return np.array([{}, 1], dtype=object)\n").scientific().outputs("a", "ndarray")
	x.fails(record.ClassUser, record.ReasonOutputInvalid, "'a'", "Python objects")
	x = python(t, "steps:f", "def f(): return 'x'\n").scientific().outputs("a", "dataframe")
	x.fails(record.ClassUser, record.ReasonOutputInvalid, "declared dataframe", "a str")
	x = python(t, "steps:f", "import numpy as np\ndef f(): return np.float64('nan')\n").scientific().outputs("a", "number")
	x.fails(record.ClassUser, record.ReasonOutputInvalid, "contains nan")
	x = python(t, "steps:f", "def f(a): pass\n").scientific()
	a := x.keep("a.npy", "\x93NUMPY garbage")
	x.spec.Inputs = []record.Datum{{Name: "a", Type: "ndarray", Artifact: &a}}
	x.fails(record.ClassUser, record.ReasonInputInvalid, "input 'a'", "ndarray")
}

func TestFindPython(t *testing.T) {
	project := t.TempDir()
	make := func(path string) string {
		full := filepath.Join(project, path)
		_ = os.MkdirAll(filepath.Dir(full), 0o777)
		if err := os.WriteFile(full, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return full
	}
	env := map[string]string{"PATH": filepath.Join(project, "bin")}
	find := func(stack string) (string, error) {
		return step.FindPython(func(name string) string { return env[name] }, stack, project)
	}
	if _, err := find(""); err == nil || !strings.Contains(err.Error(), ".venv") {
		t.Errorf("%v", err)
	}
	// Each interpreter created now takes precedence over those before.
	for _, path := range []string{"bin/python", "bin/python3", "active/bin/python", ".venv/bin/python"} {
		want := make(path)
		if strings.HasPrefix(path, "active") {
			env["VIRTUAL_ENV"] = filepath.Join(project, "active")
		}
		if got, err := find(""); got != want {
			t.Errorf("%s, %v, not %s", got, err, want)
		}
	}
	make("tools/py")
	for _, named := range []string{"tools/py", filepath.Join(project, "tools/py")} {
		if got, err := find(named); got != filepath.Join(project, "tools/py") {
			t.Errorf("%s, %v", got, err)
		}
	}
	env["PIPEC_PYTHON"] = "python3"
	if got, err := find("tools/py"); got != filepath.Join(project, "bin/python3") {
		t.Errorf("%s, %v", got, err)
	}
	env["PIPEC_PYTHON"] = "/no/such"
	if _, err := find(""); err == nil || !strings.Contains(err.Error(), "PIPEC_PYTHON") {
		t.Errorf("%v", err)
	}
}
