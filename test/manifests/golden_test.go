package manifests_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

var update = flag.Bool("update", false, "write what is emitted into the golden files")

// The file of an archive with the emitted objects, and the one with the project's lock file.
const golden, lockFile = "manifests", program.LockFile

// TestGolden compares what is written for the projects of testdata with their archives: the definition, without the
// program's bytes, and the pods of the steps. A comment `project: DIR` names a project in another directory.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../testdata/manifests/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := manifests(t, a)
			for i := range a.Files {
				f := &a.Files[i]
				if f.Name != golden || string(f.Data) == got {
					continue
				}
				if !*update {
					t.Fatalf("other manifests than in %s (-update writes them):\n%s", file, got)
				}
				f.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func manifests(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	lock := &program.Lock{}
	if _, other, found := strings.Cut(string(a.Comment), "project: "); found {
		dir = strings.TrimSpace(other)
	}
	for _, f := range a.Files {
		switch f.Name {
		case golden:
		case lockFile:
			if err := json.Unmarshal(f.Data, lock); err != nil {
				t.Fatal(err)
			}
		default:
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, err := compiler.Compile(compiler.Options{Dir: dir, Stack: "k8s"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Diags.HasErrors() {
		var b strings.Builder
		_ = diag.Human(&b, diag.NewView(r.Diags.Sorted(), r.Sources), diag.Options{})
		t.Fatal(b.String())
	}
	var b bytes.Buffer
	for _, p := range r.Programs {
		bound, missing, err := pod.Bind(p, r.Stack, lock, pod.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range missing {
			b.WriteString("# missing: " + string(m.Kind) + " " + m.Name + "\n")
		}
		show(t, &b, bound)
	}
	return b.String()
}

func show(t *testing.T, b *bytes.Buffer, p *program.Program) {
	t.Helper()
	objects, err := kubernetes.Definition(p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range objects {
		if parts, has, _ := unstructured.NestedMap(objects[i].Object, "binaryData"); has {
			for name := range parts {
				parts[name] = "…"
			}
			objects[i].Object["binaryData"] = parts
		}
	}
	data, err := kubernetes.YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(data)
	for _, s := range p.All() {
		data, err := yaml.JSONToYAML(s.Pod)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("--- # the pod of step " + s.Name + "\n")
		b.Write(data)
	}
}
