package compiler_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// FuzzCompile compiles arbitrary bytes as the only file of a project. The compiler must return, every diagnostic must be
// inside the file, a second compilation must return the same, and a program must be readable again.
func FuzzCompile(f *testing.F) {
	for _, src := range seeds(f, load.Suffix) {
		f.Add(src)
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("text ${a}\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	library := filepath.Join(dir, "lib")
	if err := os.Mkdir(library, 0o700); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(library, "lib"+load.Suffix), []byte(fuzzLibrary), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(fuzzImporter))
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		o := compiler.Options{Dir: dir, Env: []string{"PIPEC_VAR_x=1"}}
		first := outcome(t, compiler.Source("main.pipec.hcl", src, o), src)
		if again := outcome(t, compiler.Source("main.pipec.hcl", src, o), src); again != first {
			t.Fatalf("compiled twice:\n%s\n\n%s", first, again)
		}
	})
}

// fuzzLibrary is the source in ./lib, for sources that import it.
const fuzzLibrary = `variable "n" {
  type    = number
  default = 1
}
variable "any" { default = null }
code "src" { dir = "." }
image "i" { base = "a:1" }
pipeline "p" {
  param "x" {
    type    = any
    default = null
  }
  step "a" {
    image   = image.i
    code    = code.src
    command = ["echo", "${var.n}", jsonencode([var.any, param.x])]
    output "o" { type = string }
  }
  output "o" { value = step.a.o }
}
pipeline "q" {
  param "m" { type = model }
  step "p" { pipeline = pipeline.p }
  step "m" {
    command = ["cat", input.m.path]
    input "m" { value = param.m }
  }
}
`

// fuzzImporter imports the library.
const fuzzImporter = `library "l" {
  source = "./lib"
  vars = {
    n   = 2
    any = { a = ["b", null] }
  }
}
library "again" { source = "lib" }
pipeline "main" {
  step "a" {
    pipeline = library.l.p
    input "x" { value = 3 }
  }
  step "b" {
    for_each = ["x"]
    pipeline = library.again.p
    input "x" { value = step.a.o }
  }
  output "o" { value = step.b[*].o }
}
`

// outcome returns all results of a compilation as text.
func outcome(t *testing.T, r *compiler.Result, src []byte) string {
	t.Helper()
	var out bytes.Buffer
	ds := r.Diags.Sorted()
	for _, d := range ds {
		if _, known := diag.Lookup(d.Code); !known {
			t.Errorf("a diagnostic has the code %q, which is not in the table", d.Code)
		}
		inside(t, d, src)
	}
	if err := diag.Human(&out, diag.NewView(ds, r.Sources), diag.Options{}); err != nil {
		t.Fatal(err)
	}
	if r.Diags.HasErrors() && len(r.Programs) > 0 {
		t.Fatal("a faulty project gives a program")
	}
	for _, p := range r.Programs {
		if r.Stack != nil && kinds.Builtin().Pods(r.Stack) {
			if _, _, err := pod.Bind(p, r.Stack, nil, pod.Options{}); err != nil {
				t.Fatalf("what compiles for a cluster can't be bound to it: %v", err)
			}
		}
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := program.Decode(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if again, err := back.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("decoded and encoded again:\n%s\n%s\n%v", data, again, err)
		}
		checkExpressions(t, p)
		out.Write(data)
	}
	return out.String()
}

// inside checks that the range of a diagnostic is inside the file.
func inside(t *testing.T, d diag.Diagnostic, src []byte) {
	t.Helper()
	if d.Range.Filename != "main.pipec.hcl" && d.Range.Filename != "main.pipec.yaml" {
		return
	}
	if d.Range.Start.Byte < 0 || d.Range.End.Byte > len(src) || d.Range.Start.Byte > d.Range.End.Byte || d.Range.Start.Line < 1 || d.Range.Start.Column < 1 {
		t.Errorf("%s: %s: %#v is not inside of the %d bytes", d.Code, d.Summary, d.Range, len(src))
	}
}

// seeds returns the sources of the corpora whose names end with suffix.
func seeds(f *testing.F, suffix string) [][]byte {
	f.Helper()
	var out [][]byte
	for _, pattern := range []string{"../testdata/errors/*.txtar", "../testdata/programs/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			a, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, part := range a.Files {
				if strings.HasSuffix(part.Name, suffix) {
					out = append(out, part.Data)
				}
			}
		}
	}
	examples, err := filepath.Glob("../examples/*/*" + suffix)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range examples {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, src)
	}
	return out
}
