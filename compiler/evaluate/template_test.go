package evaluate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestTemplateFile checks that a template has the operators of all other expressions, and that its result is text.
func TestTemplateFile(t *testing.T) {
	dir := t.TempDir()
	vars := cty.ObjectVal(map[string]cty.Value{
		"list": cty.ListVal([]cty.Value{cty.NumberIntVal(1)}), "zero": cty.Zero,
	})
	for text, want := range map[string]string{
		`${[1] == list} %{ if [1] != list }differ%{ else }same%{ endif }`: "true same",
		`${1 + 2 * 3}`: "7",
		`${1 / zero}`:  "", // an error
	} {
		if err := os.WriteFile(filepath.Join(dir, "t.txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := templateFile(dir, "t.txt", vars)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s is %#v, expected an error", text, v)
		case want != "" && (err != nil || v.AsString() != want):
			t.Errorf("%s is %#v, expected %q (%v)", text, v, want, err)
		}
	}
}
