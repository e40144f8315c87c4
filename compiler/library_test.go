package compiler_test

import (
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
	"pipec.dev/pipec/schema/kube/pod"
)

// TestLibraryPlaces checks that no byte of a program depends on where a library is, on how its files are laid out, or on
// where the compiler runs, and that no program contains a directory.
func TestLibraryPlaces(t *testing.T) {
	a, err := txtar.ParseFile("../testdata/programs/libraries.txtar")
	must(t, err)
	want := ""
	for _, f := range a.Files {
		if f.Name == goldenProgram {
			want = string(f.Data)
		}
	}
	homes := []string{"project", "project/lib", "project/a/b", ".", "teams/x", "project-libs"}
	rapid.Check(t, func(rt *rapid.T) {
		root, err := os.MkdirTemp("", "libraries-")
		must(t, err)
		defer os.RemoveAll(root)
		at := map[string]string{}
		for _, name := range []string{"left", "teams/right", "shared"} {
			at[name] = rapid.SampledFrom(homes).Draw(rt, "home") + "/" + filepath.Base(name) + rapid.StringMatching(`[a-z é-]{0,3}[a-z]`).Draw(rt, "name")
		}
		for _, f := range a.Files {
			if f.Name == goldenProgram {
				continue
			}
			dir, name := "project", f.Name
			for of, moved := range at {
				if rest, ok := strings.CutPrefix(f.Name, of+"/"); ok {
					dir, name = moved, rest
				}
			}
			text := string(f.Data)
			for old, to := range map[string]string{
				`source = "./left"`: "left", `source = "left"`: "left", `source = "./teams/right"`: "teams/right",
				`source = "../shared"`: "shared", `source: ../../shared`: "shared",
			} {
				rel, err := filepath.Rel(dir, at[to])
				must(t, err)
				text = strings.ReplaceAll(text, old, old[:len("source =")]+fmt.Sprintf("%q", filepath.ToSlash(rel)))
			}
			write(t, filepath.Join(root, dir, name), []byte(relaidFile(rt, name, text)))
		}
		o := optionsOf(t, a)
		o.Dir = filepath.Join(root, "project")
		if rapid.Bool().Draw(rt, "inside") {
			t.Chdir(o.Dir)
			o.Dir = "."
		}
		r, err := compiler.Compile(o)
		must(t, err)
		if r.Diags.Len() > 0 {
			rt.Fatal(told(t, r))
		}
		if got := programs(t, r); got != want {
			rt.Fatalf("with the libraries at %v: got\n%s\nwant\n%s", at, got, want)
		}
	})
}

// relaidFile writes a source of HCL again with another layout, as TestLayout does.
func relaidFile(t *rapid.T, name, text string) string {
	if !strings.HasSuffix(name, ".pipec.hcl") {
		return text
	}
	f, diags := hclsyntax.ParseConfig([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	l := &layout{t: t, src: []byte(text)}
	return strings.Join(rapid.Permutation(l.items(f.Body.(*hclsyntax.Body), false, 0)).Draw(t, "order"), "")
}

// TestMovedIntoALibrary checks that pipelines that move from a project into a library with the same values stay the same in
// the program of the caller, except for their names.
func TestMovedIntoALibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pipelines := randomPipelines(rt)
		values := rapid.SampledFrom([]string{`"x"`, `"${upper("y")}"`, `"$${a}"`}).Draw(rt, "value")
		shared := "variable \"v\" {\n  type = string\n%s}\nlocals {\n  head = \"${var.v}-${file(\"who.txt\")}\"\n}\ncode \"src\" { dir = \"src\" }\nimage \"img\" { base = \"a:1\" }\n" + pipelines
		main := "pipeline \"main\" {\n  step \"call\" {\n    pipeline = %s.p0\n    input \"x\" { value = 2 }\n  }\n  output \"y\" { value = step.call.y }\n}\n"

		compile := func(files map[string]string) string {
			dir, err := os.MkdirTemp("", "moved-")
			must(t, err)
			defer os.RemoveAll(dir)
			for name, text := range files {
				write(t, filepath.Join(dir, name), []byte(text))
			}
			r, err := compiler.Compile(compiler.Options{Dir: dir})
			must(t, err)
			if r.Diags.HasErrors() {
				rt.Fatalf("%s\n%s", told(t, r), files)
			}
			p := r.Program("main")
			out, err := p.Encode()
			must(t, err)
			return string(out)
		}
		own := compile(map[string]string{
			"main.pipec.hcl": fmt.Sprintf(main, "pipeline"), "who.txt": "who", "src/f": "",
			"rest.pipec.hcl": fmt.Sprintf(shared, "  default = "+values+"\n"),
		})
		moved := compile(map[string]string{
			"main.pipec.hcl":      fmt.Sprintf(main, "library.zz") + "library \"zz\" {\n  source = \"./lib\"\n  vars = { v = " + values + " }\n}\n",
			"lib/lib.pipec.hcl":   fmt.Sprintf(shared, ""),
			"lib/who.txt":         "who",
			"lib/src/f":           "",
			"lib/pipec.vars":      "",
			"lib/pipec.auto.vars": "v = 3\n",
		})
		if !strings.Contains(moved, `"zz.p0`) {
			rt.Fatalf("the library isn't called in %s", moved)
		}
		if got := strings.ReplaceAll(moved, "zz.", ""); got != own {
			rt.Fatalf("moved\n%s\nwas\n%s\nof\n%s", got, own, pipelines)
		}
	})
}

// randomPipelines returns pipelines p0, p1, …: each may call later ones, and some have code and images of their own.
func randomPipelines(t *rapid.T) string {
	var b strings.Builder
	n := rapid.IntRange(1, 4).Draw(t, "pipelines")
	settings := func(what string) string {
		return rapid.SampledFrom([]string{"", "  code = code.src\n", "  image = image.img\n", "  code = code.src\n  image = image.img\n"}).Draw(t, what)
	}
	for i := range n {
		fmt.Fprintf(&b, "pipeline \"p%d\" {\n%s  param \"x\" { type = number }\n", i, settings("pipeline"))
		last := "param.x"
		for j := range rapid.IntRange(1, 3).Draw(t, "steps") {
			fmt.Fprintf(&b, "  step \"s%d\" {\n", j)
			if i+1 < n && rapid.Bool().Draw(t, "call") {
				fmt.Fprintf(&b, "    pipeline = pipeline.p%d\n%s", rapid.IntRange(i+1, n-1).Draw(t, "callee"), settings("call"))
			} else {
				fmt.Fprintf(&b, "    command = [\"do\", local.head, \"${input.x * length(var.v)}\", output.y.path]\n%s    output \"y\" { type = number }\n", settings("step"))
			}
			fmt.Fprintf(&b, "    input \"x\" { value = %s }\n  }\n", last)
			last = fmt.Sprintf("step.s%d.y + %d", j, j)
		}
		fmt.Fprintf(&b, "  output \"y\" { value = %s }\n}\n", last)
	}
	return b.String()
}

// TestManyLibraries: a hundred libraries of a hundred pipelines each are read quickly, and a library that all of them
// import is read once.
func TestManyLibraries(t *testing.T) {
	dir := t.TempDir()
	var main strings.Builder
	main.WriteString("pipeline \"main\" {\n")
	const n = 100
	for i := range n {
		fmt.Fprintf(&main, "  step \"s%d\" { pipeline = library.l%d.p%d }\n", i, i, i)
	}
	main.WriteString("}\n")
	for i := range n {
		fmt.Fprintf(&main, "library \"l%d\" { source = \"../l%d\" }\n", i, i)
		var lib strings.Builder
		lib.WriteString("library \"base\" { source = \"../base\" }\n")
		for j := range n {
			fmt.Fprintf(&lib, "pipeline \"p%d\" {\n  step \"a\" { pipeline = library.base.p }\n}\n", j)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("l%d/lib.pipec.hcl", i)), []byte(lib.String()))
	}
	write(t, filepath.Join(dir, "base/lib.pipec.hcl"), []byte("pipeline \"p\" {\n  step \"a\" { command = [\"true\"] }\n}\n"))
	write(t, filepath.Join(dir, "main/main.pipec.hcl"), []byte(main.String()))
	r, err := compiler.Compile(compiler.Options{Dir: filepath.Join(dir, "main")})
	must(t, err)
	if r.Diags.Len() > 0 {
		t.Fatal(told(t, r))
	}
	if p := r.Programs[0]; len(r.Programs) != 1 || len(p.Called) != n+1 || p.CalledNamed("l0.base.p") == nil {
		t.Errorf("%d programs, of which the first calls %d pipelines", len(r.Programs), len(p.Called))
	}
}

// TestLibraryByItself checks that the directory of a library is a project.
func TestLibraryByItself(t *testing.T) {
	a, err := txtar.ParseFile("../testdata/programs/libraries.txtar")
	must(t, err)
	compileArchive(t, a)
	for _, dir := range []string{"shared", "teams/right", "left"} {
		o := compiler.Options{Dir: dir}
		if dir == "left" {
			o.Env = []string{"PIPEC_VAR_greeting=hello"}
		}
		r, err := compiler.Compile(o)
		must(t, err)
		if r.Diags.Len() > 0 || len(r.Programs) != 1 {
			t.Errorf("%s has %d targets\n%s", dir, len(r.Programs), told(t, r))
		}
	}
}

// TestLibraryInstances checks that the pods of instances have the images of the library that declares them.
func TestLibraryInstances(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"main.pipec.hcl": `
stack "k8s" {
  orchestrator "kubernetes" {}
  artifact_store "s3" { path = "s3://bucket" }
  container_registry "generic" { uri = "registry.test/ml" }
}
library "lib" { source = "./lib" }
pipeline "p" {
  step "call" { pipeline = library.lib.sizes }
}
`,
		"lib/lib.pipec.hcl": `
image "tools" { base = "debian:12" }
pipeline "sizes" {
  step "a" {
    image    = image.tools
    for_each = ["1Gi", "2Gi"]
    command  = ["true"]
    resources { memory = each.value }
  }
}
`,
	} {
		must(t, os.MkdirAll(filepath.Dir(name), 0o755))
		must(t, os.WriteFile(name, []byte(text), 0o644))
	}
	r, err := compiler.Compile(compiler.Options{Dir: "."})
	must(t, err)
	if r.Diags.Len() > 0 || len(r.Programs) != 1 {
		t.Fatalf("%d programs\n%s", len(r.Programs), told(t, r))
	}
	p := r.Programs[0]
	for _, s := range p.Every() {
		for _, v := range s.Variants {
			if v.Image != "image.lib.tools" {
				t.Errorf("an instance of %s has the image %q", s.Name, v.Image)
			}
		}
	}
	if _, _, err := pod.Bind(p, r.Stack, nil, pod.Options{}); err != nil {
		t.Error(err)
	}
}
