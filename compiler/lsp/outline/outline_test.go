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

	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// TestAsTheParser checks that the outline of a valid file has the blocks, attributes, references and calls that HCL's own
// parser finds, at the same ranges.
func TestAsTheParser(t *testing.T) {
	parsed := 0
	for name, src := range sources(t) {
		if expr.Gate(src) != nil || len(src) > 1<<20 {
			continue
		}
		file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
		if diags.HasErrors() {
			continue
		}
		parsed++
		got, want := outlined(outline.Parse(src, language.Root())), syntax(file.Body.(*hclsyntax.Body))
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\ngot\n%s\nwant\n%s", name, src, strings.Join(missing(got, want), "\n"), strings.Join(missing(want, got), "\n"))
		}
	}
	if parsed < 50 {
		t.Errorf("only %d sources were compared", parsed)
	}
}

func missing(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func outlined(f *outline.File) []string {
	var out []string
	f.Root.Walk(func(b *outline.Block) {
		for _, a := range b.Attrs {
			out = append(out, fmt.Sprintf("attr %s %d", a.Name, a.At.Start))
		}
		if b != f.Root {
			out = append(out, fmt.Sprintf("block %s %d-%d labels %d", b.Type, b.Span.Start, b.Span.End, len(b.Labels)))
		}
	})
	for _, r := range f.Refs {
		if keyword(r.Parts[0].Name) && len(r.Parts) == 1 {
			continue
		}
		out = append(out, fmt.Sprintf("ref %s %d", r.String(len(r.Parts)-1), r.Parts[0].At.Start))
	}
	for _, c := range f.Calls {
		out = append(out, fmt.Sprintf("call %s %d", c.Name, c.At.Start))
	}
	sort.Strings(out)
	return out
}

func keyword(s string) bool {
	return slices.Contains([]string{"true", "false", "null", "if", "else", "endif", "endfor", "in"}, s)
}

func syntax(b *hclsyntax.Body) []string {
	var out []string
	for _, a := range b.Attributes {
		out = append(out, fmt.Sprintf("attr %s %d", a.Name, a.NameRange.Start.Byte))
		for _, t := range a.Expr.Variables() {
			out = append(out, traversal(a.Expr, t))
		}
		_ = hclsyntax.VisitAll(a.Expr, func(n hclsyntax.Node) hcl.Diagnostics {
			if c, ok := n.(*hclsyntax.FunctionCallExpr); ok {
				out = append(out, fmt.Sprintf("call %s %d", c.Name, c.NameRange.Start.Byte))
			}
			return nil
		})
	}
	for _, n := range b.Blocks {
		out = append(out, fmt.Sprintf("block %s %d-%d labels %d", n.Type, n.TypeRange.Start.Byte, n.CloseBraceRange.End.Byte, len(n.Labels)))
		out = append(out, syntax(n.Body)...)
	}
	sort.Strings(out)
	return out
}

// traversal returns a reference with the names that follow it, also after an index or a splat: those are other nodes of the
// tree.
func traversal(e hclsyntax.Expression, t hcl.Traversal) string {
	names := []string{t.RootName()}
	add := func(t hcl.Traversal) {
		for _, step := range t {
			if a, ok := step.(hcl.TraverseAttr); ok {
				names = append(names, a.Name)
			}
		}
	}
	add(t[1:])
	at := t.SourceRange().Start.Byte
	for again := true; again; {
		again = false
		_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
			switch n := n.(type) {
			case *hclsyntax.RelativeTraversalExpr:
				if _, ok := n.Source.(*hclsyntax.ParenthesesExpr); !ok && starts(n.Source, at) {
					add(n.Traversal)
				}
			case *hclsyntax.SplatExpr:
				if each, ok := n.Each.(*hclsyntax.RelativeTraversalExpr); ok && starts(n.Source, at) {
					add(each.Traversal)
				}
			}
			return nil
		})
	}
	return fmt.Sprintf("ref %s %d", strings.Join(names, "."), at)
}

func starts(e hclsyntax.Expression, at int) bool {
	switch e.(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.IndexExpr, *hclsyntax.SplatExpr, *hclsyntax.RelativeTraversalExpr:
		return e.StartRange().Start.Byte == at || e.Range().Start.Byte == at
	}
	return false
}

// sources returns the sources of the corpora and of the examples, and a few with features that they lack.
func sources(t testing.TB) map[string][]byte {
	out := map[string][]byte{"more": []byte(more)}
	files, err := filepath.Glob("../../../testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpora", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".pipec.hcl") {
				out[file+"/"+f.Name] = f.Data
			}
		}
	}
	examples, _ := filepath.Glob("../../../examples/*/*.pipec.hcl")
	for _, file := range examples {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = src
	}
	return out
}

const more = `locals {
  a = [for x in local.b : "${x.name}-${local.c}" if x.on]
  b = { for k, v in var.m : k => { name = v.name, (var.key) = v, step = 1, other: var.o } }
  c = <<-EOT
    %{ for line in local.lines ~}
    ${line.text} ${var.tail}
    %{ endfor }
  EOT
  d = step.x[var.i].y + step.x["k"].z.w /* c */ + min(var.one, max(var.two...)) # end
  e = step.x[*].y
  f = (local.g).h
  g = var.list.0
  h = local.x ? local.y : local.z
  i = f(x)[local.n].tail
}
step "a" "b" c { one = var.x }
`
