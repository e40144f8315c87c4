package lint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
)

// everything switches every rule on.
func everything() lint.Options {
	o := lint.Options{Levels: lint.Levels{}}
	for _, r := range lint.All() {
		o.Levels[r.Code] = lint.Warning
	}
	return o
}

// sources returns all sources of the compiler's and the linter's own archives, and of the examples.
func sources(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, pattern := range []string{"../../testdata/*/*.txtar", "testdata/*/*.txtar", "../../examples/*/*.pipec.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, ".txtar") {
				out = append(out, data)
				continue
			}
			for _, f := range txtar.Parse(data).Files {
				if strings.HasSuffix(f.Name, ".pipec.hcl") {
					out = append(out, f.Data)
				}
			}
		}
	}
	return out
}

// TestNeverPanics: in a project with errors, the linter reports the errors and nothing else.
func TestNeverPanics(t *testing.T) {
	faulty := 0
	for _, src := range sources(t) {
		if outcome(t, src) {
			faulty++
		}
	}
	if faulty < 50 {
		t.Errorf("only %d of the sources are faulty", faulty)
	}
}

// FuzzLint: for any source, linting returns, all ranges are inside the source, a second run has the same result, and fixes
// leave a source that still compiles.
func FuzzLint(f *testing.F) {
	for _, src := range sources(f) {
		if len(src) < 1<<14 {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		outcome(t, src)
	})
}

func outcome(t *testing.T, src []byte) (faulty bool) {
	t.Helper()
	const name = "main.pipec.hcl"
	options := compiler.Options{Dir: t.TempDir(), Env: []string{"PIPEC_VAR_x=1"}}
	r := compiler.Source(name, src, options)
	report := r.Lint(everything())
	if len(report.Diags) <= 200 { // printing thousands of findings takes long on a busy machine
		first := draw(t, r, report)
		if again := draw(t, r, r.Lint(everything())); again != first {
			t.Fatalf("linted again:\n%s\n\n%s", first, again)
		}
	}
	for _, d := range report.Diags {
		_, ofRule := lint.Describe(d.Code)
		if _, ofCompiler := diag.Lookup(d.Code); !ofRule && !ofCompiler {
			t.Errorf("there is no code %q", d.Code)
		}
		if d.Range.Filename == name && (d.Range.Start.Byte < 0 || d.Range.End.Byte > len(src)) {
			t.Errorf("%s is outside of the file: %v", d.Code, d.Range)
		}
	}
	if r.Diags.HasErrors() {
		return true
	}
	for _, text := range lint.Fix(report.Diags, r.Sources) {
		if bytes.Equal(text, src) {
			t.Error("a fix changes nothing")
		}
		fixed := compiler.Source(name, text, options)
		if fixed.Diags.HasErrors() {
			t.Fatalf("after the fix, the source has errors:\n%s\n%s", text, draw(t, fixed, lint.Report{Diags: fixed.Diags.Sorted()}))
		}
	}
	return false
}

// TestExamples: the examples have no findings.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*")
	if err != nil || len(dirs) < 2 {
		t.Fatal(dirs, err)
	}
	starters, err := filepath.Glob("../../cmd/pipec/starter/*")
	if err != nil || len(starters) < 2 {
		t.Fatal(starters, err)
	}
	for _, dir := range append(dirs, starters...) {
		r, err := compiler.Compile(compiler.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if report := r.Lint(lint.Options{}); len(report.Diags) > 0 {
			t.Errorf("%s:\n%s", dir, draw(t, r, report))
		}
	}
}

// TestNeverShown: no format shows a secret, whatever else is reported on its lines, ignored or not.
func TestNeverShown(t *testing.T) {
	const secret = "AKIAZ7QPLM3N5RTWXY42"
	src := []byte(`pipeline "p" {
  step "a" {
    command = ["true"]
    image   = "python"
    env     = { A = "` + secret + `" }
    retry {
      delay = "1s"
    }
  }
  # pipec:ignore secret-literal it is revoked
  step "b" {
    command = ["./b", "` + secret + `", "param.x"]
    timeout = "1m"
  }
}
`)
	r := compiler.Source("main.pipec.hcl", src, compiler.Options{Dir: t.TempDir()})
	report := r.Lint(everything())
	v := diag.NewView(report.Diags, diag.Mask(r.Sources, report.Secrets))
	for name, write := range diag.Formats {
		var b bytes.Buffer
		if err := write(&b, v, diag.Options{}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), secret) || !strings.Contains(b.String(), "secret-literal") {
			t.Errorf("%s:\n%s", name, b.String())
		}
	}
}
