package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// layered writes a pipeline of n steps in layers of up to a hundred, each step with two inputs from the layer before.
func layered(n int) string {
	const width = 100
	var b strings.Builder
	b.WriteString("pipeline \"layered\" {\n")
	for i := range n {
		fmt.Fprintf(&b, "  step \"s%05d\" {\n    command = [\"./work\", \"--out\", output.y.path]\n", i)
		if layer := i / width; layer > 0 {
			for j := range 2 {
				from := (layer-1)*width + (i*7+j*13)%width
				fmt.Fprintf(&b, "    input \"x%d\" {\n      value = step.s%05d.y\n    }\n", j, from)
			}
		} else if i >= 2 && n < width { // a small pipeline has one layer: its steps follow each other
			for j := range 2 {
				fmt.Fprintf(&b, "    input \"x%d\" {\n      value = step.s%05d.y\n    }\n", j, i-2+j)
			}
		}
		b.WriteString("    output \"y\" {\n      type = file\n    }\n  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// compile measures pipec validate, all phases from the files to the program, beside a process that parses the same
// bytes with HCL's own parser and does nothing else.
func (b *bench) compile() error {
	w := table()
	fmt.Println("Compiling: pipec validate as a whole process, beside a process that only parses the same bytes with hclsyntax")
	fmt.Fprintln(w, "steps\tpipec\thclsyntax\tratio\tpeak memory\t")
	for _, n := range []int{4, 100, 1_000, 10_000} {
		dir := filepath.Join(b.dir, fmt.Sprintf("layered-%d", n))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		file := filepath.Join(dir, "p.pipec.hcl")
		if err := os.WriteFile(file, []byte(layered(n)), 0o644); err != nil {
			return err
		}
		pipec, parse, err := b.pair(
			func() (figure, error) { return b.measure(dir, b.pipec, "validate") },
			func() (figure, error) { return b.measure(dir, b.self, "-parse", file) },
		)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%.2f\t%s\t\n", n, ms(walls(pipec)), ms(walls(parse)), ratio(pipec, parse), mb(peaks(pipec)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := b.lint(filepath.Join(b.dir, "layered-10000")); err != nil {
		return err
	}
	digits := filepath.Join("examples", "digits")
	var all []figure
	for range b.rounds * 4 {
		f, err := b.measure(digits, b.pipec, "validate")
		if err != nil {
			return err
		}
		all = append(all, f)
	}
	fmt.Printf("pipec validate of examples/digits: %s, %s\n", ms(walls(all)), mb(peaks(all)))
	return nil
}

// oneStack is a stack for the project whose validation is measured over every stack.
const oneStack = `stack "one" {
  orchestrator "local" {}
}
`

// lint measures lint and fmt of 10,000 steps beside validate of the same, and validate over every stack of a project with
// one stack beside validate for that stack alone.
func (b *bench) lint(dir string) error {
	stacked := dir + "-stack"
	if err := os.CopyFS(stacked, os.DirFS(dir)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(stacked, "stacks.pipec.hcl"), []byte(oneStack), 0o644); err != nil {
		return err
	}
	w := table()
	fmt.Println("\nLinting, formatting and validating 10,000 steps, beside pipec validate of the same")
	fmt.Fprintln(w, "command\tpipec\tbeside\t\tratio\tpeak memory\t")
	for _, c := range []struct {
		dir          string
		args, beside []string
		bound        float64
	}{
		{dir, []string{"lint", "--minimum-failure-severity", "error"}, []string{"validate"}, 1.3},
		{dir, []string{"fmt", "--check"}, []string{"validate"}, 1.3},
		{stacked, []string{"validate"}, []string{"validate", "--stack", "one"}, 1.1},
	} {
		one, two, err := b.pair(
			func() (figure, error) { return b.measure(c.dir, b.pipec, c.args...) },
			func() (figure, error) { return b.measure(c.dir, b.pipec, c.beside...) },
		)
		if err != nil {
			return err
		}
		r := ratio(one, two)
		beside := strings.Join(c.beside, " ")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.2f\t%s\t\n", c.args[0], ms(walls(one)), beside, ms(walls(two)), r, mb(peaks(one)))
		if r > c.bound {
			fmt.Fprintf(os.Stderr, "bench: %s of 10,000 steps takes %.2f times the time of %s, and %.1f would do\n", c.args[0], r, beside, c.bound)
		}
	}
	return w.Flush()
}

// parseOnce is what the other process of compile does.
func parseOnce(file string) {
	src, err := os.ReadFile(file)
	if err == nil {
		_, diags := hclsyntax.ParseConfig(src, file, hcl.InitialPos)
		if diags.HasErrors() {
			err = diags
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
