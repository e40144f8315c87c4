package python

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"steps.py", "pkg/__init__.py", "pkg/train.py", "pkg/deep/er.py", "größe.py", "a-b.py", ".venv/x.py", "no-package/x.py", "__pycache__/x.py", "__init__.py", "__main__.py", "data.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(Names(dir), " "); got != "größe pkg pkg.deep.er pkg.train steps" {
		t.Error(got)
	}
	if got := Names(filepath.Join(dir, "missing")); len(got) > 0 {
		t.Error(got)
	}
}

func TestHeader(t *testing.T) {
	for _, want := range []string{
		"def f()",
		"def f(a, b: int, c=…, d: list[str] = …) -> dict[str,int]",
		"async def f(a, /, b, *, c, **rest)",
		"def f(a, /)",
		"def f(*, a)",
	} {
		m, err := Read([]byte(strings.NewReplacer("=…", "=1", "= …", "= 1").Replace(want) + ": pass"))
		if err != nil {
			t.Fatal(err)
		}
		f, _ := m.Function("f")
		if f == nil || f.Header() != want {
			t.Errorf("%q is written as %q", want, f.Header())
		}
	}
}
