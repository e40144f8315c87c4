package lsp_test

import (
	"fmt"
	"testing"
	"time"

	"pipec.dev/pipec/compiler"
)

// BenchmarkLatency is how long an editor waits on a project of 1,000 steps after a key was pressed in it: for completion,
// hover, references, and the diagnostics, with the rules asked; each in milliseconds, and as a ratio to compiling the same text here, which is
// what validate does.
func BenchmarkLatency(b *testing.B) {
	const name = "big.pipec.hcl"
	c := launch(b, b.TempDir()) // the rules are asked too, as they are by default
	c.initialize(everything)
	text := layered(1000)
	c.write(name, text)
	c.open(name, text)
	half := text[:len(text)-2] + "  step \"last\" {\n    command = [step.s00007.]\n  }\n}\n"
	spent := map[string]time.Duration{}
	timed := func(what string, f func()) {
		from := time.Now()
		f()
		spent[what] += time.Since(from)
	}
	for i := 0; b.Loop(); i++ {
		timed("compile", func() {
			if _, err := compiler.Compile(compiler.Options{Dir: c.dir}); err != nil {
				b.Fatal(err)
			}
		})
		next := half + fmt.Sprintf("# %d\n", i)
		at := func() object { return c.at(name, "step.s00007.|]") }
		timed("completion", func() {
			c.changed(name, next, object{"text": next})
			if len(c.complete(name, "step.s00007.|]")) == 0 {
				b.Fatal("nothing")
			}
		})
		c.diagnostics(name)
		timed("hover", func() { c.hover(name, "step.s00|007.]") })
		timed("references", func() {
			var refs []location
			c.call("textDocument/references", with(at(), object{"context": object{"includeDeclaration": true}}), &refs)
		})
		good := text + fmt.Sprintf("# %d\n", i)
		timed("diagnostics", func() { c.change(name, good) })
	}
	for _, what := range []string{"completion", "hover", "references", "diagnostics"} {
		b.ReportMetric(float64(spent[what].Microseconds())/1000/float64(b.N), what+"-ms")
		b.ReportMetric(float64(spent[what])/float64(spent["compile"]), what+"/compile")
	}
	b.ReportMetric(float64(spent["compile"].Microseconds())/1000/float64(b.N), "compile-ms")
}
