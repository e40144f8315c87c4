package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/convert"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
)

// TestInYAML checks that the findings for a source are the same after it is converted to YAML, with its comments. A text
// that is a reference is reported by the compiler in YAML.
func TestInYAML(t *testing.T) {
	archives, _ := filepath.Glob("testdata/*/*.txtar")
	compared := 0
	for _, archive := range archives {
		a, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(archive) == "ignores.txtar" {
			continue // a comment before a blank line applies to nothing, but after conversion it applies to what follows
		}
		for _, f := range a.Files {
			if !strings.HasSuffix(f.Name, ".pipec.hcl") || strings.Contains(f.Name, "/") {
				continue
			}
			var diags diag.List
			text, ok := convert.Source(f.Name, f.Data, &diags)
			if !ok {
				continue
			}
			other, _ := convert.Name(f.Name)
			got, want := findings(t, other, text), findings(t, f.Name, f.Data)
			if len(want) > 0 {
				compared++
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s/%s: in YAML\n%s\nin HCL\n%s\n%s", archive, f.Name, strings.Join(got, "\n"), strings.Join(want, "\n"), text)
			}
		}
	}
	if compared < 40 {
		t.Errorf("only %d sources were compared", compared)
	}
}

// findings returns the findings for one source, without positions.
func findings(t *testing.T, name string, src []byte) []string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := compiler.Compile(compiler.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range r.Lint(lint.Options{Levels: lint.Levels{"unlocked-image": lint.Warning}}).Diags {
		if d.Code != "quoted-reference" && d.Code != "bare-reference" {
			out = append(out, fmt.Sprintf("%s[%s] %s", d.Severity, d.Code, d.Summary))
		}
	}
	slices.Sort(out)
	return out
}
