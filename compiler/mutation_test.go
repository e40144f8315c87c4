package compiler_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/load"
)

// same are the mutations that have the same meaning: they remove what is the default anyway, or what nothing reads.
var same = map[string]string{
	"removed artifact_store.endpoint":   "the examples' is empty, which is as if left out",
	"removed artifact_store.path_style": "the examples' is false, the default",
	"removed param.type":                "the default's own type",
	"removed pipeline.description":      "it is for people",
	"removed schedule.overlap":          "the default",
	"removed toleration.operator":       "without a value, the default",
	"removed variable.description":      "it is for people",
	"removed variable.type":             "the default's own type",
}

// TestMutations removes, misspells or retypes each attribute in the examples, and checks that the compiler reports it or
// that the program changes.
func TestMutations(t *testing.T) {
	dirs, err := filepath.Glob("../examples/*")
	must(t, err)
	count := 0
	for _, dir := range dirs {
		before := fingerprint(t, dir, nil)
		files, err := filepath.Glob(filepath.Join(dir, "*"+load.Suffix))
		must(t, err)
		for _, file := range files {
			src, err := os.ReadFile(file)
			must(t, err)
			f, diags := hclsyntax.ParseConfig(src, file, hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			attributes(f.Body.(*hclsyntax.Body), "", func(path string, a *hclsyntax.Attribute) {
				for what, text := range map[string]string{
					"removed": "", "misspelt": a.Name + "q = " + string(a.Expr.Range().SliceBytes(src)), "mistyped": a.Name + " = { zz = [1] }",
				} {
					r := a.SrcRange
					mutant := slices.Concat(src[:r.Start.Byte], []byte(text), src[r.End.Byte:])
					after := fingerprint(t, dir, map[string][]byte{filepath.Base(file): mutant})
					count++
					if after == before && same[what+" "+path] == "" {
						t.Errorf("%s:%d: %s %s: not a word, and the same program", file, r.Start.Line, what, path)
					}
				}
			})
		}
	}
	if count < 500 {
		t.Errorf("%d mutations", count)
	}
}

// attributes calls f for all attributes of a body and of its blocks, with the types of the blocks that contain them.
func attributes(b *hclsyntax.Body, in string, f func(path string, a *hclsyntax.Attribute)) {
	for _, a := range b.Attributes {
		f(in+"."+a.Name, a)
	}
	for _, n := range b.Blocks {
		attributes(n.Body, n.Type, f)
	}
}

// fingerprint returns all that a project compiles to: programs, stacks and diagnostics.
func fingerprint(t *testing.T, dir string, unsaved map[string][]byte) string {
	t.Helper()
	var b strings.Builder
	for _, stack := range []string{"local", "k8s"} {
		r, err := compiler.Compile(compiler.Options{Dir: dir, Stack: stack, Unsaved: unsaved})
		must(t, err)
		for _, d := range r.Diags.Sorted() {
			fmt.Fprintln(&b, d.Code, d.Summary)
		}
		if r.Diags.HasErrors() {
			continue
		}
		for _, p := range slices.Concat(r.Programs, r.Called) {
			data, err := p.Encode()
			must(t, err)
			b.Write(data)
		}
		data, err := json.Marshal([]any{r.Project, r.Stacks, r.Stack})
		must(t, err)
		b.Write(data)
	}
	return b.String()
}
