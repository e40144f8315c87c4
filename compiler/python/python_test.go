package python

import (
	"fmt"
	"strings"
	"testing"
)

// show shows a function on one line.
func show(f *Function) string {
	var out []string
	for _, p := range f.Params {
		text := map[Kind]string{Normal: "", PositionalOnly: "/", KeywordOnly: "*", Rest: "**"}[p.Kind] + p.Text
		if p.Annotation != nil {
			text += ":" + p.Annotation.String()
		}
		if p.Default {
			text += "=…"
		}
		out = append(out, text)
	}
	text := f.Text + "(" + strings.Join(out, ", ") + ")"
	if f.Result != nil {
		text += " -> " + f.Result.String()
	}
	for _, r := range f.Returns {
		text += fmt.Sprintf(" return %d", r.Count)
	}
	for name, is := range map[string]bool{" decorated": f.Decorated, " async": f.Async, " generator": f.Generator, " exits": f.Exits} {
		if is {
			text += name
		}
	}
	return text
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ src, name, want string }{
		{"def f(): pass", "f", "f()"},
		{"\ufeffdef f(a, b=1, *, c: int = 2, **rest) -> tuple[int, str]:\n    return a, b\n", "f", "f(a, b=…, *c:int=…, **rest) -> tuple[int,str] return 2"},
		{"def f(a, /, b, *args, c): ...", "f", "f(/a, b, *c)"},
		{"async def f(\n  a,  # one, two\n  b=(1, 2),\n):\n  return (a,\n b, 3)", "f", "f(a, b=…) return 3 async"},
		{"def f(a, key=lambda x, y: x, b={1: 2}): return [a, b]", "f", "f(a, key=…, b=…) return 0"},
		{"def f[T: int](a: T) -> T: return a", "f", "f(a:T) -> T return 0"},
		{"@d\ndef f(a): return 1", "f", "f(a) return 0 decorated"},
		{"def f():\n    def g():\n        return 1, 2\n    class C:\n        def h(self): yield 1\n    return g\n", "f", "f() return 0"},
		{"def f():\n    if x: return 1, 2\n    else: return None\n", "f", "f() return 2"},
		{"def f():\n    return a, b if c else d\n", "f", "f() return 2"},
		{"def f():\n    return *a, b\n", "f", "f() return 0"},
		{"def f():\n    return (1,)\n", "f", "f() return 1"},
		{"def f():\n    x = yield 1\n    return lambda: (yield)\n", "f", "f() return 0 generator"},
		{"def f():\n    sys.exit(3)\n", "f", "f() exits"},
		{"def f():\n    '''def g():\n  \"'''\n    return f\"{x['a']} {{ {y:{z}} def g(\", r'\\\\', b\"\\\"\"\n", "f", "f() return 3"},
		{"def f():\n    return f'{a!r:>{w}}' f\"{d[\"k\"]}\", 1\n", "f", "f() return 2"},
		{"x = 1; y = \\\n  2\ndef f(a): pass\nif __name__ == '__main__':\n    f(a=1)\n", "f", "f(a)"},
		{"if a:\n\tdef f(a): pass\n", "f", "f(a)"},
		{"def f(größe): return größe", "f", "f(größe) return 0"},
		{"def f():\n    x = lambda: (yield)\n    return 1, lambda: 2, 3\n", "f", "f() return 3"},
		{"def f() -> typing.NoReturn: b()", "f", "f() -> typing.NoReturn exits"},
		{"def f(): raise E", "f", "f() exits"},
		{"def f():\n    if a:\n        b()\n    raise E\n", "f", "f() exits"},
		{"def f():\n    if a:\n        raise E\n    b()\n", "f", "f()"},
		{"def f():\n    b()\n    if a:\n        raise E\n", "f", "f()"},
		{"def f():\n    while True:\n        b()\n", "f", "f() exits"},
		{"x = 1", "f", "missing"},
		{"def f(a): pass\nf = wrap(f)", "f", "unknown"},
		{"def f(a): pass\ndef f(b): pass", "f", "unknown"},
		{"from x import f", "f", "unknown"},
		{"from x import *", "f", "unknown"},
		{"import a as f", "f", "unknown"},
		{"class f: pass", "f", "unknown"},
		{"f, g = make()", "f", "unknown"},
		{"def __getattr__(name): return 1", "f", "unknown"},
		{"exec('def f(): pass')", "f", "unknown"},
		{"def g(): globals()['f'] = 1", "f", "unknown"},
		{"def g():\n    global e, f\n    def f(): pass\n", "f", "unknown"},
		{"sys.modules[__name__] = A()", "f", "unknown"},
		{"class A:\n    def f(self): pass\n", "f", "missing"},
		{"def g():\n    def f(): pass\n", "f", "missing"},
		{"def g(): pass\n# def f(): pass\n'''\ndef f(): pass\n'''\n", "f", "missing"},
		{"", "f", "missing"},
		{"def", "f", "missing"},
		{"def f", "f", "unknown"},
	} {
		m, err := Read([]byte(c.src))
		if err != nil {
			t.Errorf("%q: %v", c.src, err)
			continue
		}
		got := "unknown"
		if f, known := m.Function(c.name); f != nil {
			got = show(f)
		} else if known {
			got = "missing"
		}
		if got != c.want {
			t.Errorf("%q: %s, not %s", c.src, got, c.want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for _, src := range []string{"def f(", "x = 'a\n", "x = '''a", "x = (]", ")", "x = \xff", "# a\rdef f(): pass\r", "f'{a", "f'{'", strings.Repeat("f'{", 100), strings.Repeat("(", 100_000), strings.Repeat("x", MaxFile+1)} {
		if _, err := Read([]byte(src)); err == nil {
			t.Errorf("%.20q was read", src)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("def f(a, b=1) -> int:\n  return f'{a}', b\n")
	f.Add("@d\nasync def f(*, a: int = lambda: 1): yield\n")
	f.Add("x = f'''{a['''")
	f.Fuzz(func(t *testing.T, src string) {
		m, err := Read([]byte(src))
		if err != nil {
			return
		}
		for _, name := range m.Functions() {
			if fn, known := m.Function(name); fn != nil && (!known || fn.Start.Byte < 0 || fn.End.Byte > len(src)) {
				t.Errorf("%q: %+v", src, fn)
			}
		}
	})
}
