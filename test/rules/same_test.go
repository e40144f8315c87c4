package rules

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/diff"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/convert"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/format"
	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// TestSameProgram checks rule 10 with the project of every case: changes of its text that keep its meaning change no byte
// of its programs or manifests.
func TestSameProgram(t *testing.T) {
	changes := map[string]func(*testing.T, string, []byte) map[string][]byte{
		"nothing":      func(_ *testing.T, name string, src []byte) map[string][]byte { return map[string][]byte{name: src} },
		"its format":   formatted,
		"its language": converted,
		"and back":     convertedBack,
		"its comments": commented,
		"files, order": torn,
		"both at once": tornAndConverted,
		"its line ends": func(_ *testing.T, name string, src []byte) map[string][]byte {
			return map[string][]byte{name: bytes.ReplaceAll(src, []byte("\n"), []byte("\r\n"))}
		},
	}
	compiled := 0
	for _, c := range load(t) {
		sources := map[string][]byte{}
		for _, f := range c.Files {
			sources[f.Name] = f.Data
		}
		want := emitted(t, sources)
		if want == nil {
			continue // the case is about an error
		}
		compiled++
		for _, what := range slices.Sorted(maps.Keys(changes)) {
			t.Run(c.Name+"/"+strings.ReplaceAll(what, " ", "_"), func(t *testing.T) {
				changed := map[string][]byte{}
				for name, src := range sources {
					maps.Copy(changed, changes[what](t, name, src))
				}
				if got := emitted(t, changed); !bytes.Equal(got, want) {
					t.Errorf("%s: another program:\n%s\n%s", what, changed, diff.Diff("want", want, "got", got))
				}
			})
		}
	}
	if *only == "" && compiled < 20 {
		t.Errorf("%d cases compile", compiled)
	}
}

// emitted returns the programs of a project and their manifests; nil if it doesn't compile.
func emitted(t *testing.T, sources map[string][]byte) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, src := range sources {
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := compiler.Compile(compiler.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if r.Diags.HasErrors() {
		return nil
	}
	stack := &program.Stack{
		Name: "k8s", Orchestrator: program.Orchestrator{Kind: "kubernetes", Namespace: "ml", Version: "1.37"},
		ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"}, Registry: &program.Registry{Kind: "generic", URI: "registry.example.com"},
	}
	var out bytes.Buffer
	for _, p := range append(slices.Clone(r.Programs), r.Called...) {
		encoded, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
	}
	for _, p := range r.Programs {
		bound, _, err := pod.Bind(p, stack, nil, pod.Options{})
		if err != nil {
			t.Fatal(err)
		}
		objects, err := kubernetes.Definition(bound)
		if err != nil {
			t.Fatal(err)
		}
		text, err := kubernetes.YAML(objects)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	return out.Bytes()
}

// wide aligns attributes in an unusual way.
var wide = regexp.MustCompile(`(?m)^( *\w+) += `)

func formatted(t *testing.T, name string, src []byte) map[string][]byte {
	var diags diag.List
	out, ok := src, true
	if strings.HasSuffix(name, ".hcl") {
		src = wide.ReplaceAll(src, []byte("    $1=   "))
		out, ok = format.Source(name, src, &diags)
	}
	if !ok {
		t.Fatal(diags.Sorted())
	}
	return map[string][]byte{name: out}
}

func converted(t *testing.T, name string, src []byte) map[string][]byte {
	var diags diag.List
	out, ok := convert.Source(name, src, &diags)
	if !ok {
		t.Fatal(diags.Sorted())
	}
	other, _ := convert.Name(name)
	return map[string][]byte{other: out}
}

func convertedBack(t *testing.T, name string, src []byte) map[string][]byte {
	out := map[string][]byte{}
	for name, src := range converted(t, name, src) {
		maps.Copy(out, converted(t, name, src))
	}
	return out
}

// commented adds a comment before each line. No case has a text of several lines.
func commented(_ *testing.T, name string, src []byte) map[string][]byte {
	var b bytes.Buffer
	for line := range bytes.Lines(src) {
		b.WriteString("# a comment { } \" ${\n\n")
		b.Write(line)
	}
	return map[string][]byte{name: b.Bytes()}
}

// torn moves each top-level block to a file of its own, and reverses the steps of a pipeline.
func torn(t *testing.T, name string, src []byte) map[string][]byte {
	if strings.HasSuffix(name, ".yaml") {
		return map[string][]byte{"sub-" + name: src}
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body := file.Body.(*hclsyntax.Body)
	out := map[string][]byte{}
	for i, block := range body.Blocks {
		text := bytes.Clone(src[block.TypeRange.Start.Byte:block.CloseBraceRange.End.Byte])
		if inner := block.Body.Blocks; len(inner) > 1 {
			text = text[:0]
			text = append(text, src[block.TypeRange.Start.Byte:inner[0].TypeRange.Start.Byte]...)
			// Attributes are also allowed between blocks and after them.
			at := inner[0].TypeRange.Start.Byte
			var between []byte
			var blocks [][]byte
			for _, b := range inner {
				between = append(between, src[at:b.TypeRange.Start.Byte]...)
				blocks = append(blocks, append(bytes.Clone(src[b.TypeRange.Start.Byte:b.CloseBraceRange.End.Byte]), '\n'))
				at = b.CloseBraceRange.End.Byte
			}
			between = append(between, src[at:block.CloseBraceRange.Start.Byte]...)
			slices.Reverse(blocks)
			text = append(text, bytes.Join(blocks, nil)...)
			text = append(append(text, between...), '}')
		}
		out[fmt.Sprintf("%c-%d.pipec.hcl", 'z'-i, i)] = append(text, '\n')
	}
	return out
}

func tornAndConverted(t *testing.T, name string, src []byte) map[string][]byte {
	out := map[string][]byte{}
	for name, src := range torn(t, name, src) {
		maps.Copy(out, converted(t, name, src))
	}
	return out
}
