package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	p, err := NewPlan("..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(p.version, "v1.") || len(p.others) != 3 || p.Built() {
		t.Errorf("plan %+v, built %v", p, p.Built())
	}
}

// Every source that a binary is made from makes another key.
func TestKey(t *testing.T) {
	dir := t.TempDir()
	texts := map[string]string{
		"go.mod": "module m\n\nrequire k8s.io/kubernetes v1.2.3\n", "go.sum": "", "kube/main.go": "package main\n", "image/pause/main.go": "package main\n",
	}
	key := func() string {
		for name, text := range texts {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p, err := NewPlan(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		return p.Key
	}
	was := key()
	if again := key(); again != was {
		t.Errorf("the same sources have two keys: %s, %s", was, again)
	}
	for name, text := range texts {
		texts[name] = text + "// more\n"
		if key() == was {
			t.Errorf("%s does not count", name)
		}
		texts[name] = text
	}
}

func TestNoModule(t *testing.T) {
	if _, err := NewPlan(t.TempDir(), ""); err == nil || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("error %v", err)
	}
}
