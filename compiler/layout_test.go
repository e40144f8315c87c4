package compiler_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/load"
)

// TestLayout checks that the layout of a source changes no byte of its program: the order of blocks and attributes,
// comments, blank lines, indents, parentheses, the canonical format, and which file a block is in.
func TestLayout(t *testing.T) {
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
			}
			want = strings.ReplaceAll(want, `\r`, "")
			o := optionsOf(t, a)
			rapid.Check(t, func(rt *rapid.T) {
				for _, name := range sourceFiles(t) {
					must(t, os.Remove(name))
				}
				for name, text := range relaid(rt, bodies, sources) {
					must(t, os.WriteFile(name, text, 0o600))
				}
				r, err := compiler.Compile(o)
				must(t, err)
				if r.Diags.HasErrors() {
					rt.Fatal(told(t, r))
				}
				if got := programs(t, r); got != want {
					rt.Fatalf("got\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
}

func sourceFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*" + load.Suffix)
	must(t, err)
	return names
}

// relaid writes the sources again with another layout, in some number of files.
func relaid(t *rapid.T, bodies map[string]*hclsyntax.Body, sources map[string][]byte) map[string][]byte {
	var items []string
	for _, name := range sortedKeys(bodies) {
		items = append(items, (&layout{t: t, src: sources[name]}).items(bodies[name], false, 0)...)
	}
	items = rapid.Permutation(items).Draw(t, "order")
	files := rapid.IntRange(1, 3).Draw(t, "files")
	out := map[string][]byte{}
	for i, item := range items {
		name := fmt.Sprintf("file%d%s", rapid.IntRange(0, files-1).Draw(t, "file"), load.Suffix)
		if i == 0 && rapid.Bool().Draw(t, "mark") {
			out[name] = append([]byte("\ufeff"), out[name]...)
		}
		out[name] = append(out[name], item...)
	}
	if rapid.Bool().Draw(t, "format") {
		for name := range out {
			out[name] = hclwrite.Format(out[name])
		}
	}
	if rapid.Bool().Draw(t, "windows") {
		for name := range out {
			out[name] = bytes.ReplaceAll(out[name], []byte("\n"), []byte("\r\n"))
		}
	}
	return out
}

func sortedKeys[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

type layout struct {
	t   *rapid.T
	src []byte
}

// items returns the attributes and blocks of a body, each written again, in their old order.
func (l *layout) items(body *hclsyntax.Body, isLocals bool, depth int) []string {
	type item struct {
		at   int
		text string
	}
	var items []item
	for _, a := range body.Attributes {
		items = append(items, item{a.SrcRange.Start.Byte, l.attribute(a, isLocals, depth)})
	}
	for _, b := range body.Blocks {
		items = append(items, item{b.TypeRange.Start.Byte, l.block(b, depth)})
	}
	slices.SortFunc(items, func(a, b item) int { return a.at - b.at })
	var out []string
	for _, i := range items {
		out = append(out, i.text)
	}
	return out
}

func (l *layout) blank(depth int) string {
	return rapid.SampledFrom([]string{"", "\n", "# a comment { [ \"\n", "// ${x}\n", "/* one\ntwo */\n", "\t \n"}).Draw(l.t, "blank") +
		strings.Repeat(rapid.SampledFrom([]string{"  ", "\t", ""}).Draw(l.t, "indent"), depth)
}

// bare are attributes whose expression is not a value, and therefore takes no parentheses.
var bare = []string{"type", "image", "code", "depends_on", "command", "env", "labels", "annotations", "node_selector", "extended", "params", "pipeline", "carry"}

func (l *layout) attribute(a *hclsyntax.Attribute, isLocals bool, depth int) string {
	r := a.Expr.Range()
	text := string(l.src[r.Start.Byte:r.End.Byte])
	heredoc := strings.HasPrefix(text, "<<")
	if !heredoc && (isLocals || !slices.Contains(bare, a.Name)) && !strings.Contains(text, "<<") {
		if _, whole := a.Expr.(*hclsyntax.TemplateWrapExpr); !whole && rapid.Bool().Draw(l.t, "parentheses") {
			text = fmt.Sprintf(rapid.SampledFrom([]string{"(%s)", "( %s )", "((\n%s\n))", "(%s /* x */)"}).Draw(l.t, "form"), text)
		}
	}
	end := rapid.SampledFrom([]string{"\n", " \n", " # end\n", " // end\n"}).Draw(l.t, "end")
	if heredoc {
		text, end = strings.TrimRight(text, "\n"), "\n"
	}
	space := rapid.SampledFrom([]string{" ", "", "   "}).Draw(l.t, "space")
	return l.blank(depth) + a.Name + space + "=" + space + text + end
}

func (l *layout) block(b *hclsyntax.Block, depth int) string {
	head := b.Type
	for _, label := range b.Labels {
		head += " \"" + label + "\""
	}
	items := l.items(b.Body, b.Type == "locals", depth+1)
	_, python := b.Body.Attributes["python"]
	order := rapid.Permutation(indices(len(items))).Draw(l.t, "order")
	if python {
		order = keepOutputs(items, order)
	}
	out := l.blank(depth) + head + " {\n"
	for _, i := range order {
		out += items[i]
	}
	return out + l.blank(depth) + "}\n"
}

// keepOutputs restores the order of the outputs among items: the tuple of a python function is read in this order.
func keepOutputs(items []string, order []int) []int {
	var outputs []int
	isOutput := func(i int) bool { return strings.Contains(items[i], "output \"") }
	for _, i := range order {
		if isOutput(i) {
			outputs = append(outputs, i)
		}
	}
	slices.Sort(outputs)
	for at, i := range order {
		if isOutput(i) {
			order[at], outputs = outputs[0], outputs[1:]
		}
	}
	return order
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestSpelling checks that two spellings of one value compile to one program.
func TestSpelling(t *testing.T) {
	compile := func(value string) string {
		src := "pipeline \"p\" {\n  param \"n\" {\n    default = 1\n  }\n  step \"s\" {\n    command = [\"true\"]\n    input \"x\" {\n      value = " + value + "\n    }\n  }\n}\n"
		r := compiler.Source("main.pipec.hcl", []byte(src), compiler.Options{Dir: t.TempDir()})
		if r.Diags.HasErrors() {
			t.Fatalf("%s: %s", value, told(t, r))
		}
		return programs(t, r)
	}
	for _, same := range [][]string{
		{`"a\n${param.n}\n"`, "<<E\na\n${param.n}\nE", "<<-E\n  a\n  ${param.n}\n  E", "(\"a\\n${ param.n }\\n\")"},
		{`"a\n"`, "<<E\na\nE", `"a${"\n"}"`, `"\u0061\n"`, `format("%s\n", "a")`},
		{`param.n + 1`, "(param.n) + (1)", "(param.n\n+ 1)", "param.n /* n */ + 1", "param.n + 1.0", "param.n + 1e0"},
		{`1 + param.n * 2`, `(1 + (param.n * 2))`},
		{`[param.n, 2]`, "[\n  param.n,\n  2,\n]", "[param.n, # n\n 2]"},
		{`{ a = param.n, b = 2 }`, "{\n  a = param.n\n  b = 2\n}", `{ "a" = param.n, "b" : 2 }`, `{a:param.n,b:2}`},
		{`param.n`, `"${param.n}"`, `((param.n))`, `"${ (param.n) }"`},
		{`param.n == 1 ? "a" : "b"`, `"%{ if param.n == 1 }a%{ else }b%{ endif }"`, `(param.n == 1) ? ("a") : ("b")`},
		{`1000`, `10 * 100`, `(1000)`},
		{`1000.0`, `(1000.0)`},
		{`[1, 2][*]`, `[1, 2].*`},
	} {
		first := compile(same[0])
		for _, other := range same[1:] {
			if got := compile(other); got != first {
				t.Errorf("%s gives\n%s\nand %s gives\n%s", same[0], first, other, got)
			}
		}
	}
	for _, other := range []string{`1000.0`, `1e3`} { // Python reads these as floats
		if got := compile(other); got == compile(`1000`) || !strings.Contains(got, `"const": `+other) {
			t.Errorf("%s gives\n%s", other, got)
		}
	}
}
