package outline_test

import (
	"fmt"
	"strings"
	"testing"

	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/language"
)

// shape is a file's blocks and attributes, as a nested list.
func shape(b *outline.Block) string {
	var parts []string
	for _, a := range b.Attrs {
		parts = append(parts, a.Name)
	}
	for _, n := range b.Blocks {
		text := n.Type
		if n.Label() != "" {
			text += ":" + n.Label()
		}
		parts = append(parts, text+shape(n))
	}
	if parts == nil {
		return ""
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// TestBroken checks that the complete parts of a file are found next to incomplete ones.
func TestBroken(t *testing.T) {
	for name, c := range map[string]struct{ src, want, refs string }{
		"a word":               {"pipeline \"p\" {\n  st\n  step \"a\" {}\n}", "(pipeline:p(step:a))", "st"},
		"no value":             {"pipeline \"p\" {\n  timeout =\n  step \"a\" {}\n}", "(pipeline:p(timeout step:a))", ""},
		"a dot":                {"locals {\n  a = var.\n  b = 1\n}", "(locals(a b))", "var."},
		"a string":             {"locals {\n  a = \"x\n  b = var.y\n}", "(locals(a b))", "var.y"},
		"an interpolation":     {"locals {\n  a = \"${var.x\n  b = var.y\n}", "(locals(a b))", "var.x var.y"},
		"a bracket":            {"locals {\n  a = [var.x,\n  b = var.y\n}\nimage \"i\" {}", "(locals(a b) image:i)", "var.x var.y"},
		"a call":               {"locals {\n  a = max(var.x,\n}\nimage \"i\" {}", "(locals(a) image:i)", "var.x"},
		"an object":            {"pipeline \"p\" {\n  step \"a\" {\n    env = {\n      A = var.x\n    output \"y\" {}\n  }\n  step \"b\" {}\n}", "(pipeline:p(step:a(env output:y) step:b))", "var.x"},
		"a block":              {"pipeline \"p\" {\n  step \"a\" {\n    timeout = 1\n  step \"b\" {\n  }\n}\nimage \"i\" {}", "(pipeline:p(step:a(timeout) step:b) image:i)", ""},
		"two blocks":           {"pipeline \"p\" {\n  step \"a\" {\n    input \"i\" {\n      value = step.b.y\n  step \"b\" {\n}\nvariable \"v\" {}", "(pipeline:p(step:a(input:i(value)) step:b) variable:v)", "step.b.y"},
		"a brace too many":     {"locals {\n  a = 1\n}\n}\nimage \"i\" {}", "(locals(a) image:i)", ""},
		"a header":             {"pipeline \"p\" {\n  step \"a\"\n  step \"b\" {}\n}", "(pipeline:p(step:a step:b))", ""},
		"a label":              {"pipeline \"p\" {\n  step \"a\n  step \"b\" {}\n}", "(pipeline:p(step:a step:b))", ""},
		"a heredoc":            {"locals {\n  a = <<EOT\n ${var.x} b = 1\n}", "(locals(a))", "var.x"},
		"a comment":            {"locals {\n  a = 1\n}\n/* image \"i\" {}", "(locals(a))", ""},
		"nothing of the table": {"what \"x\" {\n  ever = a.b\n  more {}\n}", "(what:x(ever more))", "a.b"},
		"empty":                {"", "", ""},
		"binary":               {"\x00\xff{\x00}", "", ""},
		"deep":                 {strings.Repeat("a {\n", 5000), "", ""}, // the gate's limit
		"many strings":         {strings.Repeat("a = \"x\n", 100), "", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			f := outline.Parse([]byte(c.src), language.Root())
			check(t, f)
			if c.refs == "-" {
				return
			}
			if got := shape(f.Root); got != c.want {
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

// check checks that all ranges are inside the file and in order, and that any cursor position works.
func check(t *testing.T, f *outline.File) {
	t.Helper()
	in := func(what string, s, around outline.Span) {
		if s.Start < around.Start || s.End > around.End || s.Start > s.End {
			t.Errorf("%s at %v is not in %v of\n%q", what, s, around, f.Src)
		}
	}
	all := outline.Span{Start: 0, End: len(f.Src)}
	f.Root.Walk(func(b *outline.Block) {
		in("block "+b.Type, b.Span, all)
		in("body of "+b.Type, b.Body, b.Span)
		last := b.Body.Start
		for _, n := range b.Blocks {
			in("block "+n.Type, n.Span, b.Body)
			if n.Span.Start < last {
				t.Errorf("block %s at %v begins in the one before, of\n%q", n.Type, n.Span, f.Src)
			}
			last = n.Span.End
		}
		for _, a := range b.Attrs {
			in("attribute "+a.Name, a.At, b.Body)
			in("value of "+a.Name, a.Value, b.Body)
		}
	})
	for _, r := range f.Refs {
		for _, p := range r.Parts {
			in("reference", p.At, all)
		}
	}
	for offset := 0; offset <= len(f.Src); offset += 1 + len(f.Src)/200 {
		c := f.CursorAt(offset)
		in(fmt.Sprintf("word of %d", offset), c.Word, all)
		in(fmt.Sprintf("string of %d", offset), c.String, all)
		f.RefAt(offset)
		f.CallAt(offset)
		f.CallAround(offset)
		if c.Attr != nil {
			f.Keys(c.Attr.Value)
		}
	}
}

// FuzzParse: for any file, the outline is returned, and its ranges are inside the file.
func FuzzParse(f *testing.F) {
	for _, src := range sources(f) {
		if len(src) < 1<<14 {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) < 1<<16 {
			check(t, outline.Parse(src, language.Root()))
		}
	})
}
