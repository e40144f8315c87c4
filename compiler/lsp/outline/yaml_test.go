package outline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler/convert"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/compiler/yaml"
	"pipec.dev/pipec/schema/language"
)

// TestYAMLAsTheReader checks that the outline of a valid file in YAML has the blocks, attributes, references and calls that
// the compiler finds, at the same ranges.
func TestYAMLAsTheReader(t *testing.T) {
	compared := 0
	for name, src := range yamlSources(t) {
		var diags diag.List
		s := yaml.Parse("x.pipec.yaml", src, language.Root(), &diags)
		if s == nil || diags.HasErrors() || len(s.Told) > 0 || aliased(string(src)) {
			continue
		}
		compared++
		got, want := yamlOutlined(outline.ParseYAML(src, language.Root())), yamlSyntax(s.Body)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\ngot\n%s\nwant\n%s", name, src, strings.Join(missing(got, want), "\n"), strings.Join(missing(want, got), "\n"))
		}
	}
	if compared < 80 {
		t.Errorf("only %d sources were compared", compared)
	}
}

// aliased reports whether a file has aliases: the outline reads their values only at the anchor.
func aliased(src string) bool {
	return strings.Contains(src, "<<:") || strings.Contains(src, ": *") || strings.Contains(src, "- *")
}

func yamlOutlined(f *outline.File) []string {
	var out []string
	f.Root.Walk(func(b *outline.Block) {
		for _, a := range b.Attrs {
			out = append(out, fmt.Sprintf("attr %s %d-%d", a.Name, a.At.Start, a.At.End))
		}
		switch {
		case b == f.Root:
		case len(b.Labels) > 0:
			out = append(out, fmt.Sprintf("block %s %s %d-%d", b.Type, b.Label(), b.Labels[0].At.Start, b.Labels[0].At.End))
		default:
			out = append(out, "block "+b.Type)
		}
	})
	for _, r := range f.Refs {
		if !keyword(r.Parts[0].Name) || len(r.Parts) > 1 {
			out = append(out, fmt.Sprintf("ref %s %d", r.String(len(r.Parts)-1), r.Parts[0].At.Start))
		}
	}
	for _, c := range f.Calls {
		out = append(out, fmt.Sprintf("call %s %d", c.Name, c.At.Start))
	}
	sort.Strings(out)
	return out
}

func yamlSyntax(b *hclsyntax.Body) []string {
	var out []string
	for _, a := range b.Attributes {
		out = append(out, fmt.Sprintf("attr %s %d-%d", a.Name, a.NameRange.Start.Byte, a.NameRange.End.Byte))
		for _, v := range a.Expr.Variables() {
			if !keyword(v.RootName()) || len(v) > 1 {
				out = append(out, traversal(a.Expr, v))
			}
		}
		_ = hclsyntax.VisitAll(a.Expr, func(n hclsyntax.Node) hcl.Diagnostics {
			if c, ok := n.(*hclsyntax.FunctionCallExpr); ok {
				out = append(out, fmt.Sprintf("call %s %d", c.Name, c.NameRange.Start.Byte))
			}
			return nil
		})
	}
	for _, n := range b.Blocks {
		text := "block " + n.Type
		if len(n.Labels) > 0 {
			text += fmt.Sprintf(" %s %d-%d", n.Labels[0], n.LabelRanges[0].Start.Byte, n.LabelRanges[0].End.Byte)
		}
		out = append(append(out, text), yamlSyntax(n.Body)...)
	}
	sort.Strings(out)
	return out
}

// yamlSources are those of the corpora and of the examples, and what HCL is converted to.
func yamlSources(t testing.TB) map[string][]byte {
	out := map[string][]byte{"more": []byte(moreYAML)}
	for name, src := range sources(t) {
		var diags diag.List
		if converted, ok := convert.Source(filepath.Base(name), src, &diags); ok && len(converted) < 1<<20 {
			out[name+" converted"] = converted
		}
	}
	files, _ := filepath.Glob("../../../testdata/*/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".pipec.yaml") {
				out[file+"/"+f.Name] = f.Data
			}
		}
	}
	examples, _ := filepath.Glob("../../../examples/*/*.pipec.yaml")
	for _, file := range examples {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = src
	}
	return out
}

const moreYAML = `# a comment with key: value
locals:
  a: "${[for x in local.b : \"${x.name}-${local.c}\" if x.on]}"
  b: '${lookup(var.m, "it''s")}'   # ${none}
  c: |
    %{ for line in local.lines ~}
    ${line.text} ${var.tail}
    %{ endfor }
  "d": ${step.x[var.i].y + min(var.one, max(var.two...))}
  e: >-
    folded ${var.f}

    key: not one
  f: {x: 1, y: ["${var.g}", two, {z: "${var.h}"}], "q":"${var.q}"}
  g: plain text
    that goes on ${var.i}
  h: [a,
    "${var.j}",
  ]
variable:
  gamma: {type: "list(object({a = number}))", default: []}
  other:
    type: string
    default: 3
    validation:
    - condition: ${var.other != ""}
      error_message: no # never
    -   condition: ${length(var.other) < 9}
        error_message: "none:
          ${var.x}"
pipeline:
  'p':
    image: python:3.11
    schedule: {cron: 0 3 * * *}
    step:
      a: {command: [x]}
      b:
        image: image.i
        depends_on:
        - step.a
        - step . c
        cache:
          salt: x
      c: {command: [x], cache: true, toleration: [{key: a}, {key: b}]}
`

// TestBrokenYAML checks that the complete parts of a file are found next to incomplete ones.
func TestBrokenYAML(t *testing.T) {
	for name, c := range map[string]struct{ src, want, refs string }{
		"a word":            {"pipeline:\n  p:\n    st\n    step:\n      a: {}\n", "(pipeline:p(step:a))", ""},
		"a word at the end": {"pipeline:\n  p:\n    step:\n      a: {}\n    st\n", "(pipeline:p(step:a))", ""},
		"a word alone":      {"pipeline:\n  p:\n    step:\n      a:\n        co\n      b:\n        command: [x]\n", "(pipeline:p(step:a step:b(command)))", ""},
		"no value":          {"pipeline:\n  p:\n    timeout:\n    step:\n      a: {}\n", "(pipeline:p(timeout step:a))", ""},
		"a dot":             {"locals:\n  a: ${var.\n  b: 1\n", "(locals(a b))", "var."},
		"a string":          {"locals:\n  a: \"x\n  b: \"${var.y}\"\n", "(locals(a b))", "var.y"},
		"an interpolation":  {"locals:\n  a: \"${var.x\n  b: ${var.y}\n", "(locals(a b))", "var.x var.y"},
		"a bracket":         {"locals:\n  a: [\"${var.x}\",\n  b: ${var.y}\nimage:\n  i: {}\n", "(locals(a b) image:i)", "var.x var.y"},
		"a brace":           {"locals:\n  a: {x: ${var.x}\n  b: ${var.y}\nimage:\n  i: {}\n", "(locals(a b) image:i)", "var.x var.y"},
		"a call":            {"locals:\n  a: ${max(var.x,\n  b: 1\n", "(locals(a b))", "var.x"},
		"too far":           {"pipeline:\n  p:\n    timeout: 1h\n       step:\n         b: {}\n    step:\n      a: {}\n", "(pipeline:p(timeout step:a))", ""},
		"too near":          {"pipeline:\n  p:\n    step:\n      a: {}\n   timeout: 1h\nimage:\n  i: {}\n", "(pipeline:p(timeout step:a) image:i)", ""},
		"a tab":             {"locals:\n\ta: 1\n", "(locals(a))", ""},
		"a dash":            {"pipeline:\n  p:\n    step:\n      a:\n        depends_on:\n        - step.b\n        -\n        - step.\n        command: [x]\n", "(pipeline:p(step:a(depends_on command)))", "step.b step."},
		"no name":           {"pipeline:\n  : {}\n  p: {}\n", "(pipeline pipeline:p)", ""},
		"two brackets":      {"locals:\n  a: [x]]\n  b: }\n  c: 1\n", "(locals(a b c))", ""},
		"nothing of it":     {"what:\n  x:\n    ever: ${a.b}\n", "(what)", "a.b"},
		"empty":             {"", "", ""},
		"null":              {"~", "", ""},
		"documents":         {"%YAML 1.2\n---\nlocals:\n  a: 1\n---\nimage:\n  i: {}\n", "(locals(a) image:i)", ""},
		"binary":            {"\x00\xff{\x00}", "", ""},
		"deep":              {strings.Repeat("[", 5000), "", ""},
		"deeper":            {"locals:\n" + strings.Repeat("- ", 5000) + "\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := outline.ParseYAML([]byte(c.src), language.Root())
			checkYAML(t, f)
			if got := shape(f.Root); got != c.want && !strings.HasPrefix(name, "deep") {
				t.Errorf("%s, not %s", got, c.want)
			}
			var refs []string
			for _, r := range f.Refs {
				refs = append(refs, r.String(len(r.Parts)-1))
			}
			if got := strings.Join(refs, " "); got != c.refs {
				t.Errorf("references %q, not %q", got, c.refs)
			}
		})
	}
}

// checkYAML checks that all ranges are inside the file, and that any cursor position works.
func checkYAML(t testing.TB, f *outline.File) {
	t.Helper()
	in := func(what string, s outline.Span) {
		if s.Start < 0 || s.End > len(f.Src) || s.Start > s.End {
			t.Fatalf("%s at %v is not in\n%q", what, s, f.Src)
		}
	}
	f.Root.Walk(func(b *outline.Block) {
		in("block "+b.Type, b.Span)
		in("body of "+b.Type, b.Body)
		in("type of "+b.Type, b.At)
		for _, l := range b.Labels {
			in("label "+l.Text, l.At)
		}
		last := 0
		for _, a := range b.Attrs {
			in("attribute "+a.Name, a.At)
			in("value of "+a.Name, a.Value)
			if a.At.Start < last {
				t.Fatalf("attribute %s stands before the one before it, of\n%q", a.Name, f.Src)
			}
			last = a.At.Start
			f.Whole(a)
			f.Keys(a.Value)
		}
	})
	for _, r := range f.Refs {
		for _, p := range r.Parts {
			in("reference", p.At)
		}
	}
	for offset := 0; offset <= len(f.Src); offset += 1 + len(f.Src)/300 {
		c := f.CursorAt(offset)
		in(fmt.Sprintf("word of %d", offset), c.Word)
		in(fmt.Sprintf("string of %d", offset), c.String)
		if c.Block == nil {
			t.Fatalf("%d is in no block", offset)
		}
		f.RefAt(offset)
		f.CallAt(offset)
		f.CallAround(offset)
		f.HeaderAt(offset)
		f.AttrAt(offset)
	}
}

// TestCutYAML: the ranges of the outline are inside the file if the file is cut anywhere, or something is typed into it.
func TestCutYAML(t *testing.T) {
	all := yamlSources(t)
	var names []string
	for name, src := range all {
		if len(src) < 1<<13 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	rapid.Check(t, func(rt *rapid.T) {
		src := all[rapid.SampledFrom(names).Draw(rt, "source")]
		at := rapid.IntRange(0, len(src)).Draw(rt, "at")
		end := rapid.IntRange(at, min(len(src), at+40)).Draw(rt, "end")
		piece := rapid.SampledFrom([]string{"", "\"", "'", "[", "{", "]", "}", ":", "\n", "\r\n", "- ", "${", "|\n", "#", " ", "\t", "&a ", "*a", "! ", "step.", "---\n"}).Draw(rt, "piece")
		checkYAML(t, outline.ParseYAML(slices.Concat(src[:at], []byte(piece), src[end:]), language.Root()))
	})
}

// FuzzParseYAML: for any file, the outline is returned, and its ranges are inside the file.
func FuzzParseYAML(f *testing.F) {
	for _, src := range yamlSources(f) {
		if len(src) < 1<<13 {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) < 1<<16 {
			checkYAML(t, outline.ParseYAML(src, language.Root()))
		}
	})
}

// TestWholeOfPlain checks that text without quotes is read as the compiler reads it, and written as HCL writes it.
func TestWholeOfPlain(t *testing.T) {
	for text, want := range map[string]string{
		"0x10": "16", "0o17": "15", "+1.5": "1.5", "1e3": "1e3", "True": "true", "FALSE": "false", "~": "null", "Null": "null",
		"inf": `"inf"`, "1_000": `"1_000"`, "0x1p4": `"0x1p4"`, "yes": `"yes"`, `"1"`: `"1"`,
	} {
		f := outline.ParseYAML([]byte("variable:\n  v:\n    default: "+text+"\n  s:\n    type: string\n    default: "+text+"\n"), language.Root())
		if got := f.Whole(f.Root.Blocks[0].Attr("default")); got != want {
			t.Errorf("%s is %s, and should be %s", text, got, want)
		}
		if want[0] != 't' && want[0] != 'f' && want[0] != 'n' {
			want = `"` + strings.Trim(text, `"`) + `"`
		}
		if got := f.Whole(f.Root.Blocks[1].Attr("default")); got != want {
			t.Errorf("beside type: string, %s is %s, and should be %s", text, got, want)
		}
	}
}
