package format

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler/diag"
)

// seeds returns the sources of the compiler's archives and of the examples, and some unusual ones.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, pattern := range []string{"../../testdata/*/*.txtar", "../lint/testdata/*/*.txtar", "../../examples/*/*.pipec.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, ".txtar") {
				out = append(out, data)
				continue
			}
			for _, f := range txtar.Parse(data).Files {
				if strings.HasSuffix(f.Name, ".pipec.hcl") {
					out = append(out, f.Data)
				}
			}
		}
	}
	for _, text := range []string{
		"", "\n", "  \n\n", "# only a comment", "a = 1 # end\r\nb=2\r\n", "a=1\r\nb = 2\n", "\ufeffa=1\n",
		"a = <<E\n  x\nE\n", "b {\na=<<-E\n\t x ${ y }\n  E\n}\n", "a = [ # one\n1, // two\n/* three */ 2]\n",
		"a = {\n  b = 1, c = 2\n dd = 3 }\n", "a = x ? # why\n 1 : 2\n", "a = \"${x}%{ if y }z%{ endif ~}\"\n", "a = -  1 - -1 !=! b\n",
		"a = f (1 , [for x in y :x if x])\n", "a = {for k,v in m:k=>v...}\n", "b \"l\"\t{ }\nb l {}\n", "a = x [ 0 ] . y [*] . z\n", "a = 1\n\n\n\n\nb = 2\n",
	} {
		out = append(out, []byte(text))
	}
	return out
}

// TestSources formats all sources of the repository.
func TestSources(t *testing.T) {
	good := 0
	for _, src := range seeds(t) {
		if holds(t, src) {
			good++
		}
	}
	if good < 50 {
		t.Errorf("only %d of the sources can be parsed", good)
	}
}

// FuzzFormat: a source that can be parsed keeps its meaning, its tokens and its comments, and is canonical after one round.
func FuzzFormat(f *testing.F) {
	for _, src := range seeds(f) {
		if len(src) < 1<<14 {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) <= 1<<16 {
			holds(t, src)
		}
	})
}

// TestRelaid formats sources with other spaces, blank lines and comments between their tokens.
func TestRelaid(t *testing.T) {
	var good [][]byte
	for _, src := range seeds(t) {
		var diags diag.List
		if _, ok := Source("x.pipec.hcl", src, &diags); ok && len(src) < 1<<13 {
			good = append(good, src)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		src := rapid.SampledFrom(good).Draw(rt, "source")
		tokens, _ := hclsyntax.LexConfig(src, "x", hcl.InitialPos)
		var b bytes.Buffer
		at := 0
		for _, token := range tokens {
			b.Write(src[at:token.Range.Start.Byte])
			if token.Type == hclsyntax.TokenNewline {
				b.WriteString(rapid.SampledFrom([]string{"", "", "", " # c", "\t// ${c}", "\n", "\n# c", "\n\n\n", " /* c */"}).Draw(rt, "before a newline"))
			}
			b.Write(token.Bytes)
			at = token.Range.End.Byte
			if token.Type == hclsyntax.TokenNewline {
				b.WriteString(rapid.SampledFrom([]string{"", "", "  ", "\t", "  # c\n"}).Draw(rt, "after a newline"))
			}
		}
		holds(rt, b.Bytes())
	})
}

// holds checks what formatting may change. It returns false if the source can't be parsed.
func holds(t rapid.TB, src []byte) bool {
	t.Helper()
	var diags diag.List
	out, ok := Source("x.pipec.hcl", src, &diags)
	if ok == diags.HasErrors() {
		t.Fatalf("formatted: %v, and told: %v", ok, diags.Sorted())
	}
	if !ok {
		return false
	}
	again, ok := Source("x.pipec.hcl", out, &diags)
	if !ok {
		t.Fatalf("formatted, it can't be parsed:\n%s\n%v", out, diags.Sorted())
	}
	if !bytes.Equal(again, out) {
		t.Fatalf("formatted twice, it is another.\nsource %q\n  once %q\n twice %q", src, out, again)
	}
	want, got := essence(src), essence(out)
	for i := 0; i < max(len(want), len(got)); i++ {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("token %d has changed.\nsource %q\n   out %q", i, src, out)
		}
	}
	return true
}

// essence returns the tokens of a source, including comments, without what formatting may change.
func essence(src []byte) []string {
	tokens, _ := hclsyntax.LexConfig(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")), "x", hcl.InitialPos)
	var out []string
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenEOF:
		case hclsyntax.TokenComment:
			out = append(out, strings.TrimSpace(string(t.Bytes)))
		default:
			out = append(out, string(t.Bytes))
		}
	}
	return out
}
