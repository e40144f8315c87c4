//go:build linux

package step_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// files replaces the step's code.
func (x *trial) files(source map[string]string) *trial {
	x.t.Helper()
	dir := x.t.TempDir()
	for name, text := range source {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			x.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			x.t.Fatal(err)
		}
	}
	a, err := store.Pack(context.Background(), x.store, store.Bundle{Dir: dir})
	if err != nil {
		x.t.Fatal(err)
	}
	x.spec.Code = a.Digest
	return x
}

// The user's modules may have the names of the runner's modules, and of modules that the runner imports: each gets its
// own.
func TestPythonNamesOfModules(t *testing.T) {
	source := map[string]string{"steps.py": `
import sys
before = set(sys.modules)  # what this machine's interpreter imports at its start
import call, fault, files, find, frame, load, main, model, parameters, path, report, runner, save, value
mine = [call, fault, files, find, frame, load, main, model, parameters, path, report, runner, save, value]
def f(a):
    assert all(m.mine for m in mine)
    assert not [p for p in sys.path if "runner" in p], sys.path
    assert not [m for m in mine if "zip" in m.__file__]
    import difflib, hashlib, shutil
    assert all(hasattr(m, "mine") for m in (difflib, hashlib, shutil) if m.__name__ not in before)
    return ["x"], {"k": "v"}, a
def fails():
    import difflib, traceback
    sys.path.insert(0, "elsewhere")
    assert hasattr(traceback, "mine") or "traceback" in before
    return 1 / 0
`}
	for _, name := range strings.Fields("call fault files find frame load main model parameters path report runner save value " +
		"types json re io inspect difflib hashlib shutil pickle asyncio dataclasses traceback pkgutil linecache textwrap __main__ sitecustomize zipimport runpy") {
		source[name+".py"] = "mine = True\n"
	}
	x := python(t, "steps:f", "").files(source).value("a", "number", "1")
	x.outputs("l", "list(text)", "m", "map(text)", "n", "number")
	x.succeeds()

	r := python(t, "steps:fails", "").files(source).fails(record.ClassUser, record.ReasonError, "ZeroDivisionError")
	if r.ExitCode == nil || *r.ExitCode != 1 {
		t.Errorf("%+v", r)
	}
	python(t, "steps:fail", "").files(source).fails(record.ClassUser, record.ReasonError, "no function 'fail'", "did you mean 'fails'")
}

func TestPythonModules(t *testing.T) {
	source := map[string]string{
		"pkg/__init__.py": "", "pkg/sub.py": "from . import other\nfrom .other import g\nf = g\n", "pkg/other.py": "def g(): return 1\n",
		"bare/sub.py": "def f(): return 1\n", "statistics.py": "def f(): return 1\n", "types.py": "def f(): return 1\n",
		"prints.py": "print('imported')\ndef f(): return 1\n", "exits.py": "import sys\nsys.exit(0)\ndef f(): return 1\n",
		"warns.py": "import warnings\ndef f():\n    warnings.warn('look out')\n    return 1\n",
	}
	for _, c := range []struct {
		function, says, log string
		reason              string
	}{
		{function: "pkg.sub:f"},
		{function: "bare.sub:f"},
		{function: "statistics:f"}, // the interpreter has not imported the standard module yet
		{function: "prints:f", log: "imported\n"},
		{function: "warns:f", log: "UserWarning: look out\n"},
		{function: "types:f", reason: record.ReasonError, says: "types.py can't be imported, because a module with this name is already imported"},
		{function: "pkg.sup:f", reason: record.ReasonError, says: "no module 'pkg.sup'"},
		{function: "exits:f", reason: record.ReasonOutputMissing, says: "with sys.exit before it returned"},
		{function: "src/prints.py:f", reason: record.ReasonError, says: `not of the form "module:function"`},
		{function: ".prints:f", reason: record.ReasonError, says: `not of the form`},
		{function: "prints", reason: record.ReasonError, says: `not of the form`},
	} {
		t.Run(c.function, func(t *testing.T) {
			x := python(t, c.function, "").files(source).outputs("a", "number")
			var r record.Result
			if c.says == "" {
				r = x.succeeds()
			} else {
				r = x.fails(record.ClassUser, c.reason, c.says)
			}
			if log := x.log(r); !strings.Contains(log, c.log) || strings.Contains(log, "Traceback") {
				t.Errorf("%s", log)
			}
		})
	}
}

// The name can refer to callables other than functions.
func TestPythonCallables(t *testing.T) {
	const source = `
import functools
def add(a, b=1, *, c=2): return a + b + c
partial = functools.partial(add, b=10)
class Adder:
    def __call__(self, a): return a + 3
    def method(self, a): return a + 4
    @staticmethod
    def static(a): return a + 5
    @classmethod
    def klass(cls, a): return a + 6
adder = Adder()
def logged(f):
    @functools.wraps(f)
    def inner(*args, **kw):
        return f(*args, **kw)
    return inner
@logged
def decorated(a): return a + 7
async def coroutine(a):
    import asyncio
    await asyncio.sleep(0)
    return a + 8
def marked(a, b=9, /, *, c=1): return a
def optional(b=9, /, *, a): return a + b
cached = functools.lru_cache(add)
@logged
def refuses(b): return b
def noted(a): return a + 10
noted.owner = "me"
class Made(float):
    def __new__(cls, a): return float.__new__(cls, a + 11)
`
	for function, want := range map[string]string{
		"add": "3", "partial": "12", "adder": "3", "adder.method": "4", "Adder.static": "5", "Adder.klass": "6", "decorated": "7",
		"coroutine": "8", "optional": "9", "cached": "3", "noted": "10", "Made": "11.0",
	} {
		r := python(t, "steps:"+function, source).value("a", "number", "0").outputs("o", "number").succeeds()
		if got := string(r.Outputs[0].Value); got != want {
			t.Errorf("%s: %s", function, got)
		}
	}
	for function, says := range map[string]string{"marked": "positional-only parameter 'a'", "refuses": "parameter 'b'", "Adder.method": "'self'"} {
		python(t, "steps:"+function, source).value("a", "number", "0").fails(record.ClassUser, record.ReasonInputInvalid, says)
	}
	x := python(t, "steps:f", "def f(the_name, *, rest): return the_name + rest\n").value("rest", "number", "1").value("the-name", "number", "2")
	if r := x.outputs("o", "number").succeeds(); string(r.Outputs[0].Value) != "3" {
		t.Errorf("%+v", r.Outputs)
	}
}
