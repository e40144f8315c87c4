package lsp_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/convert"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
)

// TestRenameAll renames every name of the examples and of the corpus of programs, one at a time: each project compiles
// as before, with as many diagnostics, and the old name is gone from where it was declared.
func TestRenameAll(t *testing.T) {
	projects := map[string]map[string]string{}
	for _, example := range []string{"digits", "shell", "notify", "leaderboard"} {
		files, _ := filepath.Glob("../../examples/" + example + "/*.pipec.*")
		projects[example] = map[string]string{}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			projects[example][filepath.Base(file)] = string(src)
		}
	}
	archives, _ := filepath.Glob("../../testdata/programs/*.txtar")
	for _, file := range archives {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range a.Files {
			files[f.Name] = string(f.Data)
		}
		projects[strings.TrimSuffix(filepath.Base(file), ".txtar")] = files
	}
	if len(projects) < 7 {
		t.Fatalf("only %d projects", len(projects))
	}
	renamed := 0
	for name, files := range projects {
		t.Run(name, func(t *testing.T) { renamed += renameAll(t, files) })
		t.Run(name+" in YAML", func(t *testing.T) { renamed += renameAll(t, inYAML(t, files)) })
	}
	t.Logf("%d names in %d projects", renamed, len(projects))
}

type symbol struct {
	Name, Detail   string
	Kind           int
	SelectionRange span
	Children       []symbol
}

// renameAll renames the names of one project, and returns how many it renamed.
func renameAll(t *testing.T, files map[string]string) (renamed int) {
	c := start(t, files)
	unsaved := map[string][]byte{}
	for name, text := range files {
		if load.IsSource(name) {
			c.open(name, text)
			unsaved[name] = []byte(text)
		}
	}
	told := func(unsaved map[string][]byte) int {
		r, err := compiler.Compile(compiler.Options{Dir: c.dir, Unsaved: unsaved})
		if err != nil {
			t.Fatal(err)
		}
		return len(r.Diags.Sorted())
	}
	before := told(unsaved)
	for name := range unsaved {
		var tree []symbol
		c.call("textDocument/documentSymbol", object{"textDocument": object{"uri": c.uri(name)}}, &tree)
		var walk func(level []symbol, in string)
		walk = func(level []symbol, in string) {
			for _, s := range level {
				walk(s.Children, s.Detail+s.Name)
				kinds := []string{"variable", "image", "code", "pipeline", "param", "step", "finally"}
				if !slices.Contains(kinds, s.Detail) && in != "locals" {
					continue
				}
				if s.Detail == "variable" && given(files) {
					continue
				}
				if strings.Contains(name, "/") && slices.Contains([]string{"variable", "pipeline", "param"}, s.Detail) {
					continue // an importer of the directory uses the name too, but a rename stays in the directory
				}
				renamed++
				var edit struct{ Changes map[string][]textEdit }
				c.call("textDocument/rename", object{"textDocument": object{"uri": c.uri(name)}, "position": s.SelectionRange.Start, "newName": "another-name_1"}, &edit)
				after := map[string][]byte{}
				for name, text := range unsaved {
					after[name] = []byte(apply(t, string(text), edit.Changes[c.uri(name)]))
				}
				if got := told(after); got != before || slices.Equal(after[name], unsaved[name]) {
					t.Errorf("%s %s: %d diagnostics, not %d, of\n%s", s.Detail, s.Name, got, before, after[name])
				}
			}
		}
		walk(tree, "")
	}
	c.end()
	return renamed
}

// inYAML are the files with half of the sources converted, so that names go from one language into the other.
func inYAML(t *testing.T, files map[string]string) map[string]string {
	out := map[string]string{}
	odd := len(files)%2 == 1
	for _, name := range slices.Sorted(maps.Keys(files)) {
		other, source := convert.Name(name)
		var diags diag.List
		if odd = !odd; source && !strings.Contains(name, "/") && (odd || len(files) < 3) {
			if text, ok := convert.Source(name, []byte(files[name]), &diags); ok {
				out[other] = string(text)
				continue
			}
			t.Errorf("%s: %v", name, diags.Sorted())
		}
		out[name] = files[name]
	}
	return out
}

// given reports whether values of variables are set outside of the sources.
func given(files map[string]string) bool {
	for name := range files {
		if strings.HasSuffix(name, ".vars") {
			return true
		}
	}
	return false
}
