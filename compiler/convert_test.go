package compiler_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/convert"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
)

// converted converts a source and fails the test if that isn't possible.
func converted(t interface {
	Fatalf(string, ...any)
	Helper()
}, name string, src []byte) (string, []byte) {
	t.Helper()
	var diags diag.List
	out, ok := convert.Source(name, src, &diags)
	if !ok {
		var b bytes.Buffer
		_ = diag.Human(&b, diag.NewView(diags.Sorted(), map[string][]byte{name: src}), diag.Options{})
		t.Fatalf("%s can't be converted:\n%s\n%s", name, b.String(), src)
	}
	other, _ := convert.Name(name)
	return other, out
}

// TestConvertPrograms checks that converting files, there and back, changes no byte of a program. The files are those of
// the corpus, in random layouts, and only some of them are converted.
func TestConvertPrograms(t *testing.T) {
	files, err := filepath.Glob("../testdata/programs/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			file, err := filepath.Abs(file)
			must(t, err)
			a, err := txtar.ParseFile(file)
			must(t, err)
			want := programs(t, compileArchive(t, a))
			want = strings.ReplaceAll(want, `\r`, "")
			bodies := map[string]*hclsyntax.Body{}
			sources := map[string][]byte{}
			for _, name := range sourceFiles(t) {
				src, err := os.ReadFile(name)
				must(t, err)
				src = bytes.ReplaceAll(bytes.TrimPrefix(src, []byte("\ufeff")), []byte("\r"), nil)
				f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				bodies[name], sources[name] = f.Body.(*hclsyntax.Body), src
				must(t, os.Remove(name))
			}
			o := optionsOf(t, a)
			rapid.Check(t, func(rt *rapid.T) {
				project := relaid(rt, bodies, sources)
				for round := range 3 { // to YAML, back, and to YAML again
					next := map[string][]byte{}
					for _, name := range sortedKeys(project) {
						if round == 0 && rapid.IntRange(0, 3).Draw(rt, "leave") == 0 {
							next[name] = project[name]
							continue
						}
						other, out := converted(rt, name, project[name])
						next[other] = out
					}
					if got := compiledPrograms(t, rt, next, o); got != want {
						rt.Fatalf("round %d: got\n%s\nwant\n%s\nof\n%s", round, got, want, shown(next))
					}
					project = next
				}
			})
		})
	}
}

func shown(project map[string][]byte) string {
	var b strings.Builder
	for _, name := range sortedKeys(project) {
		b.WriteString("-- " + name + " --\n" + string(project[name]))
	}
	return b.String()
}

// compiledPrograms writes the files to a directory, compiles them and deletes them.
func compiledPrograms(t *testing.T, rt *rapid.T, project map[string][]byte, o compiler.Options) string {
	for name, text := range project {
		must(t, os.WriteFile(name, text, 0o600))
	}
	defer func() {
		for name := range project {
			must(t, os.Remove(name))
		}
	}()
	r, err := compiler.Compile(o)
	must(t, err)
	if r.Diags.HasErrors() {
		rt.Fatalf("%s\nof\n%s", told(t, r), shown(project))
	}
	return programs(t, r)
}

// TestConvertExamples checks that every example compiles to the same programs in YAML and back in HCL, and that converting
// twice returns the same text.
func TestConvertExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/*/*" + load.Suffix)
	if err != nil || len(files) < 2 {
		t.Fatal("no examples", err)
	}
	dirs := map[string][]string{}
	for _, f := range files {
		dirs[filepath.Dir(f)] = append(dirs[filepath.Dir(f)], f)
	}
	for _, dir := range sortedKeys(dirs) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want := allPrograms(t, dir)
			tmp := t.TempDir()
			must(t, os.CopyFS(tmp, os.DirFS(dir)))
			texts := map[string][]byte{}
			for round := range 4 {
				entries, err := os.ReadDir(tmp)
				must(t, err)
				for _, e := range entries {
					if !load.IsSource(e.Name()) {
						continue
					}
					path := filepath.Join(tmp, e.Name())
					src, err := os.ReadFile(path)
					must(t, err)
					other, out := converted(t, path, src)
					must(t, os.Remove(path))
					must(t, os.WriteFile(other, out, 0o600))
					if old, ok := texts[other]; ok && !bytes.Equal(old, out) {
						t.Errorf("%s, converted back and again:\n%s\nand was\n%s", other, out, old)
					}
					texts[other] = out
				}
				if got := allPrograms(t, tmp); got != want {
					t.Fatalf("round %d: got\n%s\nwant\n%s", round, got, want)
				}
			}
		})
	}
}

// allPrograms returns the programs of a project for each of its stacks.
func allPrograms(t *testing.T, dir string) string {
	t.Helper()
	r, err := compiler.Compile(compiler.Options{Dir: dir})
	must(t, err)
	out := ""
	for _, s := range r.Stacks {
		r, err := compiler.Compile(compiler.Options{Dir: dir, Stack: s.Name})
		must(t, err)
		if r.Diags.HasErrors() {
			t.Fatal(told(t, r))
		}
		out += s.Name + "\n" + programs(t, r)
	}
	if out == "" {
		t.Fatal("no stack, and no program")
	}
	return out
}

// TestConvertComments checks that each comment of a source is in the converted text exactly once, in both directions.
func TestConvertComments(t *testing.T) {
	const source = `# c01
variable "n" { # c02
  # c03
  type    = number # c04
  default = 1e3    # c05
  # c06
}
# c07
variable "m" { default = 1 } # c08

locals {
  list = [ # c09
    1,     # c10
    # c11
    2, # c12
  ]
  map = {
    # c13
    a = 1 # c14
  } # c15
}

# c16

pipeline "p" {
  step "a" { # c17
    command = ["true"]
    input "x" { value = var.n } # c18
    output "y" {
      type = number # c19
    } # c20
  }
  # c21
}
# c22
`
	name, text := "main.pipec.hcl", []byte(source)
	for range 4 {
		var diags diag.List
		out, ok := convert.Source(name, text, &diags)
		if !ok {
			t.Fatalf("%v\n%s", diags.Sorted(), text)
		}
		name, _ = convert.Name(name)
		text = out
		for i := range 22 {
			if n := strings.Count(string(text), fmt.Sprintf("c%02d", i+1)); n != 1 {
				t.Errorf("%s: c%02d is there %d times\n%s", name, i+1, n, text)
			}
		}
	}
}

// TestConvertCommentBehind checks that a comment behind a list or a map is kept exactly once, whatever the comment
// contains.
func TestConvertCommentBehind(t *testing.T) {
	for source, want := range map[string]string{
		"a: [x, \"# note\"]   # note\n":                     "  a = [\"x\", \"# note\"] # note\n",
		"a: [\n      x, # note of x\n      y] # note\n":     "    \"x\", # note of x\n    \"y\", # note\n  ]\n",
		"a:\n      - x # note of x\n      - y # note\n":     "    \"x\", # note of x\n    \"y\", # note\n  ]\n",
		"a:\n      k: 1\n      l: 2 # note\n":               "  a = { k = 1, l = 2 } # note\n",
		"a:\n      - k: [x,\n          y] # note\n":         "",
		"a:\n      - - x\n        - y # note\n":             "",
		"a: {k: [x, # note of x\n      y]} # note\n":        "",
		"a: &m {k: \"# note\"} # note\n    b: *m # other\n": "",
	} {
		_, out := converted(t, "main.pipec.yaml", []byte("locals:\n    "+source))
		if got := string(out); !strings.Contains(got, want) || strings.Count(got, " # note\n") != 1 {
			t.Errorf("%s\n%s", source, got)
		}
	}
}
