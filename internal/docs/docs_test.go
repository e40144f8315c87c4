package docs

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/schema/language"
)

var update = flag.Bool("update", false, "write the pages of docs/")

func TestPagesAreCurrent(t *testing.T) {
	for name, write := range Pages {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			current(t, filepath.Join("..", "..", "docs", name), b.Bytes())
		})
	}
}

func TestGraphsInReadmesAreCurrent(t *testing.T) {
	readmes, err := filepath.Glob("../../examples/*/README.md")
	if err != nil || len(readmes) < 2 {
		t.Fatalf("%d examples with a README, %v", len(readmes), err)
	}
	for _, path := range readmes {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			text, err := Readme(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			current(t, path, text)
		})
	}
}

// current compares a file with its expected content, or writes it with -update.
func current(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what would be written: run `make generate`", path)
	}
}

// TestLanguageHoldsTheWholeTable checks that the reference contains every block and attribute.
func TestLanguageHoldsTheWholeTable(t *testing.T) {
	var b bytes.Buffer
	if err := Language(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	var walk func(block *language.Block)
	walk = func(block *language.Block) {
		for _, a := range block.Attributes {
			if !strings.Contains(text, "| `"+a.Name+"` |") || !strings.Contains(text, cell(a.Doc)) {
				t.Errorf("%s of %s is not there", a.Name, block.Name)
			}
		}
		for _, n := range block.Blocks {
			if !strings.Contains(text, n.Doc) {
				t.Errorf("block %s is not there", n.Name)
			}
			walk(n)
		}
	}
	walk(language.Root())
}

// TestRulesHaveNoOtherPages checks that there is no page of a rule that doesn't exist anymore.
func TestRulesHaveNoOtherPages(t *testing.T) {
	for _, dir := range []string{"rules", "meaning"} {
		files, err := filepath.Glob("../../docs/" + dir + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if name := dir + "/" + filepath.Base(file); Pages[name] == nil {
				t.Errorf("%s is no page of a rule", file)
			}
		}
	}
}

// TestExamplesOfThePages checks that the pipelines in the pages compile without diagnostics.
func TestExamplesOfThePages(t *testing.T) {
	page, err := os.ReadFile("language.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, kind := range []string{"hcl", "yaml"} {
		for _, part := range strings.Split(string(page), "```"+kind+"\n")[1:] {
			source, _, _ := strings.Cut(part, "```")
			dir := t.TempDir()
			if strings.HasPrefix(source, "# team/") {
				dir = library(t, dir, source)
			} else if err := os.WriteFile(filepath.Join(dir, "main.pipec."+kind), []byte(source), 0o644); err != nil {
				t.Fatal(err)
			}
			if functions := "```python\n"; strings.Contains(source, "python ") {
				_, module, _ := strings.Cut(string(page), functions)
				module, _, _ = strings.Cut(module, "```")
				if err := errors.Join(os.Mkdir(filepath.Join(dir, "src"), 0o755), os.WriteFile(filepath.Join(dir, "src/steps.py"), []byte(module), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			r, err := compiler.Compile(compiler.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range r.Diags.Sorted() {
				t.Errorf("%s: %s", d.Code, d.Summary)
			}
			shown++
		}
	}
	if shown < 2 {
		t.Errorf("%d examples", shown)
	}
}

// library writes an example with a library to files: each begins with a line such as "# team/main.pipec.hcl". It returns
// the project's directory.
func library(t *testing.T, root, source string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "shared", "train", "src"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Split("\n"+source, "\n# ")[1:] {
		name, text, _ := strings.Cut(file, "\n")
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(root, "team")
}

// TestExamplesCompile checks that a project can contain each example of a function.
func TestExamplesCompile(t *testing.T) {
	dir, err := exampleProject()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, g := range groups {
		for _, e := range g.entries {
			for _, example := range e.examples {
				src := "locals { x = " + example + " }\npipeline \"p\" {\n  step \"s\" { command = [\"echo\", jsonencode(local.x)] }\n}\n"
				r, err := compiler.Compile(compiler.Options{Dir: dir, Unsaved: map[string][]byte{"main.pipec.hcl": []byte(src)}})
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range r.Diags.Sorted() {
					t.Errorf("%s: %s", example, d.Summary)
				}
			}
		}
	}
}
