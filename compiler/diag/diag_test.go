package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"
)

func TestCodes(t *testing.T) {
	form := regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)*$`)
	for i, c := range Codes {
		if i > 0 && Codes[i-1].Name >= c.Name {
			t.Errorf("%q is not sorted, or twice there", c.Name)
		}
		if !form.MatchString(c.Name) {
			t.Errorf("%q is not in kebab case", c.Name)
		}
		if c.Severity != Error && c.Severity != Warning && c.Severity != Note {
			t.Errorf("%s: no such severity: %q", c.Name, c.Severity)
		}
		if strings.Count(c.Doc, ". ") > 0 || !strings.HasSuffix(c.Doc, ".") || strings.ContainsAny(c.Doc, "|\n") {
			t.Errorf("%s: not one sentence: %q", c.Name, c.Doc)
		}
		if got, ok := Lookup(c.Name); !ok || got != c {
			t.Errorf("Lookup(%q) = %v, %v", c.Name, got, ok)
		}
	}
	for summary, r := range hclRules() {
		if _, ok := Lookup(r.code); r.code != "" && !ok {
			t.Errorf("the rule for %q has the unknown code %q", summary, r.code)
		}
	}
	if _, ok := Lookup("no-such-code"); ok {
		t.Error("a code that is not there was found")
	}
}

func TestWriteDocs(t *testing.T) {
	var b strings.Builder
	if err := WriteDocs(&b); err != nil {
		t.Fatal(err)
	}
	for _, c := range Codes {
		if !strings.Contains(b.String(), fmt.Sprintf("| `%s` | %s | %s |\n", c.Name, c.Severity, c.Doc)) {
			t.Errorf("%s is missing", c.Name)
		}
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"importer", "trainer", "evaluator", "skew_comparison", "X_train", "y_train"}
	for _, c := range []struct {
		name  string
		among []string
		want  string
	}{
		{"trainr", names, "trainer"},
		{"Trainer", names, "trainer"},
		{"skew-comparison", names, "skew_comparison"},
		{"rtainer", names, "trainer"},
		{"eval", names, "evaluator"},
		{"x_train", names, "X_train"}, // by case before y_train by an edit
		{"tokenizer", names, ""},
		{"trainer", []string{"trainer"}, ""}, // it is there: nothing to suggest
		{"", names, ""},
		{"a", []string{"b"}, ""},
		{"ab", []string{"ad", "ac"}, "ac"},
		{"tpye", []string{"type", "tape"}, "type"},
		{"esle", []string{"else"}, "else"},
		{"name", nil, ""},
		{"step", []string{"step_one", "step_two"}, ""}, // either could be meant
		{"größe", []string{"grüße", "GRÖßE"}, "GRÖßE"},
	} {
		if got := Suggest(c.name, c.among); got != c.want {
			t.Errorf("Suggest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSuggestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-dA-D_-]{0,6}`)
		among := rapid.SliceOf(name).Draw(t, "among")
		want := name.Draw(t, "name")
		got := Suggest(want, among)
		if got != "" && (!slices.Contains(among, got) || got == want) {
			t.Fatalf("Suggest(%q, %q) = %q", want, among, got)
		}
		mixed := rapid.Permutation(among).Draw(t, "mixed")
		if again := Suggest(want, mixed); again != got {
			t.Fatalf("Suggest(%q, %q) = %q, and in another order %q", want, among, got, again)
		}
	})
}

func at(file string, line, col, end, offset int) hcl.Range {
	return hcl.Range{
		Filename: file,
		Start:    hcl.Pos{Line: line, Column: col, Byte: offset},
		End:      hcl.Pos{Line: line, Column: end, Byte: offset + end - col},
	}
}

func TestSorted(t *testing.T) {
	one, two := at("a", 1, 1, 2, 0), at("a", 1, 3, 4, 2)
	var l List
	if l.HasErrors() || len(l.Sorted()) != 0 {
		t.Error("an empty list is not empty")
	}
	l.Add(
		New("unused", two, "w"),
		New("cycle", at("b", 1, 1, 2, 0), "in another file"),
		New("cycle", two, "second").WithRelated(one, "one").WithSuggestion("do it"),
		New("cycle", two, "first").WithRelated(two, "two").WithRelated(one, "one"),
		New("cycle", one, "earlier"),
		New("no-stack", hcl.Range{}, "about no place"),
	)
	var got []string
	for _, d := range l.Sorted() {
		got = append(got, fmt.Sprintf("%s %s %d %s%s", d.Code, d.Summary, len(d.Related), d.Suggestion, d.Detail))
	}
	want := []string{"no-stack about no place 0 ", "cycle earlier 0 ", "cycle first 2 do itAlso: second", "unused w 0 ", "cycle in another file 0 "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if l.Errors() != 5 || l.Len() != 6 || !l.HasErrors() {
		t.Errorf("Errors() = %d, Len() = %d", l.Errors(), l.Len())
	}
}

// TestSortedOrder checks that the result doesn't depend on the order in which diagnostics were added, or on whether they
// were in one list.
func TestSortedOrder(t *testing.T) {
	gen := rapid.Custom(func(t *rapid.T) Diagnostic {
		n := func(name string) int { return rapid.IntRange(1, 2).Draw(t, name) }
		d := New([]string{"cycle", "unused"}[n("code")-1], at([]string{"a", "b"}[n("file")-1], 1, n("col"), 3, n("col")), "%d", n("summary"))
		for range n("related") - 1 {
			d = d.WithRelated(at("a", n("line"), 1, 2, n("byte")), "%d", n("message"))
		}
		return d
	})
	rapid.Check(t, func(t *rapid.T) {
		ds := rapid.SliceOfN(gen, 0, 12).Draw(t, "diagnostics")
		var whole, left, right List
		whole.Add(ds...)
		mixed := rapid.Permutation(ds).Draw(t, "mixed")
		cut := rapid.IntRange(0, len(mixed)).Draw(t, "cut")
		left.Add(mixed[:cut]...)
		right.Add(mixed[cut:]...)
		right.AddList(&left)
		a, b := fmt.Sprintf("%+v", whole.Sorted()), fmt.Sprintf("%+v", right.Sorted())
		if a != b {
			t.Fatalf("in one order\n%s\nin another\n%s", a, b)
		}
	})
}

func TestWithCopies(t *testing.T) {
	base := New("cycle", hcl.Range{}, "x").WithRelated(at("a", 1, 1, 2, 0), "0").WithRelated(at("a", 1, 1, 2, 0), "1")
	one, two := base.WithRelated(at("a", 1, 1, 2, 0), "one"), base.WithRelated(at("a", 1, 1, 2, 0), "two")
	if one.Related[2].Message != "one" || two.Related[2].Message != "two" || len(base.Related) != 2 {
		t.Error("two diagnostics made of one share their related places")
	}
}

// TestFixes checks that a fix that is offered as certain removes its error.
func TestFixes(t *testing.T) {
	for _, src := range []string{
		"step \"a\" {\n  cpu = 1 memory = 2\n}\n",
		"a {} b {}\n",
		"a = {\n\tb = 1 c = 2\n}\n",
		"timeout = 5m\n",
		"memory = 1.5Gi\n",
		"when = x and y\n",
		"a = b.c or d\n",
		"x = 'abc'\n",
		"cpu: 1\n",
		"a = 1,\n",
		"x = \"%{http_code}\"\n",
		"x = <<EOT\n  date %{Y}\nEOT\n",
		"x = \"${HOME:-/root}\"\n",
		"x = \"a ${#LIST} b\"\ny = 1\n",
		"x = \"${FILE##*/}\"\n",
		"x = \"${FILE%.*}\"\n",
		"x = \"${LIST[@]}\"\n",
		"x = \"${NAME:?unset}\"\n",
		"x = \"${A:0:3}\"\n",
		"x = \"${@}\"\n",
		"x = \"${1:-a}\"\n",
		"x = \"${A?err}\"\n",
		"x = \"é ${A^^} é\"\n",
	} {
		_, diags := hclsyntax.ParseConfig([]byte(src), "f", hcl.InitialPos)
		var l List
		l.Add(FromHCL(diags, map[string][]byte{"f": []byte(src)})...)
		ds := l.Sorted()
		if len(ds) != 1 || ds[0].Fix == nil {
			t.Errorf("%q: not one diagnostic with a fix: %+v", src, ds)
			continue
		}
		f := ds[0].Fix
		fixed := src[:f.Range.Start.Byte] + f.Text + src[f.Range.End.Byte:]
		if _, diags := hclsyntax.ParseConfig([]byte(fixed), "f", hcl.InitialPos); diags.HasErrors() {
			t.Errorf("%q: fixed to %q: %v", src, fixed, diags)
		}
	}
}

func TestForShell(t *testing.T) {
	src := `a = "${HOME} ${var.x} ${HOME + 1}"`
	for _, c := range []struct{ name, before, want string }{
		{"HOME", "", "write $${HOME} if it is meant for the shell"},
		{"HOME", "did you mean that?", "did you mean that?"},
		{"var.x", "", ""},
	} {
		i := strings.Index(src, c.name)
		d := New("unknown-reference", at("f", 1, i+1, i+1+len(c.name), i), "x").WithSuggestion("%s", c.before)
		if got := ForShell(d, []byte(src)).Suggestion; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	i := strings.LastIndex(src, "HOME")
	if got := ForShell(New("unknown-reference", at("f", 1, i+1, i+5, i), "x"), []byte(src)).Suggestion; got != "" {
		t.Errorf("part of an expression got %q", got)
	}
	if got := ForShell(New("unknown-reference", at("f", 1, 1, 5, 999), "x"), []byte(src)).Suggestion; got != "" {
		t.Errorf("a place outside of the file got %q", got)
	}
}

func TestNameMinus(t *testing.T) {
	names := []string{"count", "a-b"}
	for name, want := range map[string]string{
		"count-1": `"count-1" is one name; to subtract, write param.count - 1`,
		"a-b-c":   `"a-b-c" is one name; to subtract, write param.a-b - c`,
		"count":   "", "count-": "", "x-1": "", "-count": "", "": "",
	} {
		if got := NameMinus("param.", name, names); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestMany: the time of thousands of them is that of thousands, also where the file is one long line.
func TestMany(t *testing.T) {
	for name, src := range map[string][]byte{
		"lines":    bytes.Repeat([]byte("a = b\n"), 200_000),
		"one line": bytes.Repeat([]byte("a = b "), 200_000),
	} {
		var l List
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(20_000) {
			r := hcl.Range{Filename: "f", Start: hcl.Pos{Line: 1, Column: i*60 + 1, Byte: i * 60}, End: hcl.Pos{Line: 1, Column: i*60 + 2, Byte: i*60 + 1}}
			if name == "lines" {
				r.Start.Line, r.Start.Column, r.End.Line, r.End.Column = i*10+1, 1, i*10+1, 2
			}
			l.Add(New("unknown-reference", r, "no"), New("unknown-reference", r, "no"))
		}
		v := NewView(l.Sorted(), map[string][]byte{"f": src})
		if v.ErrorCount != 20_000 {
			t.Errorf("%s: %d errors", name, v.ErrorCount)
		}
		size := 0
		for _, d := range v.Diagnostics {
			for _, s := range d.Snippet {
				size += len(s.Text)
			}
		}
		if size > 20_000*3*(maxLineBytes+10) {
			t.Errorf("%s: %d bytes of snippets", name, size)
		}
		var out bytes.Buffer
		if err := Human(&out, v, Options{}); err != nil || bytes.Count(out.Bytes(), []byte("error[")) != 20_000 {
			t.Error(name, err)
		}
	}
}

func FuzzHuman(f *testing.F) {
	f.Add([]byte("a = 1\n\tb = 2\r\n"), "summary", 0, 1, 1, 5, 1, 6, 40)
	f.Add([]byte("日本\x1b[31m\xff\n"), "a\nb\x00", -1, 1, 2, 99, 2, 1, 0)
	f.Add([]byte(""), "", 5, -3, -9, 2, 7, 8, 3)
	f.Add(bytes.Repeat([]byte("\u0301e\t"), 400), "x", 300, 1, 1, 900, 1, 1, 10)
	f.Add([]byte("\xef\xbb\xbfa = b"), "x", 1, 1, 2, 2, 1, 3, 10)
	f.Fuzz(func(t *testing.T, src []byte, text string, b1, l1, c1, b2, l2, c2, width int) {
		r := hcl.Range{Filename: "f\x1b", Start: hcl.Pos{Byte: b1, Line: l1, Column: c1}, End: hcl.Pos{Byte: b2, Line: l2, Column: c2}}
		sources := map[string][]byte{"f\x1b": src}
		d := New("syntax", r, "%s", text).WithDetail("%s", text).WithSuggestion("%s", text).WithRelated(r, "%s", text).WithFix(r, text)
		ds := []Diagnostic{d, New("unused", hcl.Range{Filename: text}, "%s", src).WithFix(r, string(src))}
		_, diags := hclsyntax.ParseConfig(src[:min(len(src), 200)], "f\x1b", hcl.InitialPos)
		ds = append(ds, FromHCL(diags, sources)...)
		view := NewView(ds, sources)
		checkDrawn(t, view, width)

		var out bytes.Buffer
		if err := JSON(&out, view, Options{}); err != nil {
			t.Fatal(err)
		}
		var again View
		if err := json.Unmarshal(out.Bytes(), &again); err != nil {
			t.Fatal(err)
		}
		// A view may come from elsewhere, with any numbers in it.
		if s := again.Diagnostics[0].Snippet; len(s) > 0 {
			s[0].Text, s[0].Highlight = string(src), &SpanView{b1, b2}
		}
		checkDrawn(t, &again, width)
	})
}

func checkDrawn(t *testing.T, v *View, width int) {
	var out bytes.Buffer
	if err := Human(&out, v, Options{Width: width % 300, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(out.Bytes()) {
		t.Fatalf("not UTF-8: %q", out.Bytes())
	}
	for _, r := range out.String() {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			t.Fatalf("raw %U in %q", r, out.String())
		}
	}
}
