package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// growing are projects of n steps, or instances, each with the commands that are measured of a tenth of it and of it. Ten
// times the steps may take twelve times the time, and lint and fmt at most two seconds.
var growing = []struct {
	name  string
	n     int
	args  []string
	write func(n int) string
}{
	{"for_each over a literal", 10_000, []string{"validate"}, fanOut},
	{"calls", 10_000, []string{"validate"}, calls},
	{"fan-outs, each collected by [*]", 10_000, []string{"validate"}, collected},
	{"layered", 10_000, []string{"lint", "--minimum-failure-severity", "error"}, layered},
	{"calls", 10_000, []string{"lint", "--minimum-failure-severity", "error"}, calls},
	{"layered", 10_000, []string{"fmt", "--check"}, layered},
	{"instances, collected by [*]", 2_000, []string{"run", "--parallel", "4"}, fanOut},
}

// growth measures how what pipec does grows with what it is given.
func (b *bench) growth() error {
	w := table()
	fmt.Println("Growing: ten times the steps, beside a tenth of them; of the time by the clock, and of the processors', which collect more beside the work where there is more")
	fmt.Fprintln(w, "command\tof\tsteps\ttime\ta tenth\tratio\tprocessors\tratio\tpeak memory\t")
	for i, g := range growing {
		large, small := filepath.Join(b.dir, fmt.Sprintf("large-%d", i)), filepath.Join(b.dir, fmt.Sprintf("small-%d", i))
		for dir, n := range map[string]int{large: g.n, small: g.n / 10} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, "p.pipec.hcl"), []byte(g.write(n)), 0o644); err != nil {
				return err
			}
			if g.args[0] == "fmt" { // so that lint has no findings
				if _, err := b.measure(dir, b.pipec, "fmt"); err != nil {
					return err
				}
			}
		}
		args := g.args
		one, two, err := b.pair(
			func() (figure, error) { return b.measure(large, b.pipec, args...) },
			func() (figure, error) { return b.measure(small, b.pipec, args...) },
		)
		if err != nil {
			return err
		}
		r := float64(walls(one)) / float64(walls(two))
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%.1f\t%s\t%.1f\t%s\t\n", args[0], g.name, g.n, ms(walls(one)), ms(walls(two)), r,
			ms(cpus(one)), float64(cpus(one))/float64(cpus(two)), mb(peaks(one)))
		if args[0] != "run" && r > 12 {
			fmt.Fprintf(os.Stderr, "bench: %s of %s: ten times the steps take %.1f times the time, and 12 would do\n", args[0], g.name, r)
		}
		if t := walls(one); (args[0] == "lint" || args[0] == "fmt") && t > 2*time.Second {
			fmt.Fprintf(os.Stderr, "bench: %s of %d steps takes %s, and 2 s would do\n", args[0], g.n, t)
		}
	}
	return w.Flush()
}

// fanOut writes a step of n instances, and one that collects what they give.
func fanOut(n int) string {
	var b strings.Builder
	b.WriteString("pipeline \"fan\" {\n  step \"x\" {\n    for_each = [\n")
	for i := range n {
		fmt.Fprintf(&b, "      %d,\n", i)
	}
	b.WriteString("    ]\n    command = [\"sh\", \"-c\", \"echo ${each.value} > ${output.n.path}\"]\n    output \"n\" { type = number }\n  }\n")
	b.WriteString("  output \"sum\" { value = sum(step.x[*].n) }\n}\n")
	return b.String()
}

// calls writes n calls of a pipeline, each of what the one before it gave.
func calls(n int) string {
	var b strings.Builder
	b.WriteString("pipeline \"calls\" {\n")
	for i := range n {
		value := "1"
		if i > 0 {
			value = fmt.Sprintf("step.s%05d.n", i-1)
		}
		fmt.Fprintf(&b, "  step \"s%05d\" {\n    pipeline = pipeline.inner\n    input \"n\" { value = %s }\n  }\n", i, value)
	}
	fmt.Fprintf(&b, "  output \"n\" { value = step.s%05d.n }\n}\n", n-1)
	b.WriteString("pipeline \"inner\" {\n  param \"n\" { type = number }\n  step \"x\" {\n    command = [\"sh\", \"-c\", \"echo ${param.n} > ${output.n.path}\"]\n    output \"n\" { type = number }\n  }\n  output \"n\" { value = step.x.n }\n}\n")
	return b.String()
}

// collected writes n steps that have instances by turns: the even ones have some, and the odd ones collect them.
func collected(n int) string {
	var b strings.Builder
	b.WriteString("pipeline \"collected\" {\n")
	for i := range n / 2 {
		fmt.Fprintf(&b, "  step \"a%05d\" {\n    for_each = [1, 2, 3]\n    command  = [\"sh\", \"-c\", \"echo ${each.value} > ${output.n.path}\"]\n    output \"n\" { type = number }\n  }\n", i)
		fmt.Fprintf(&b, "  step \"b%05d\" {\n    command = [\"echo\", \"${sum(step.a%05d[*].n)}\"]\n  }\n", i, i)
	}
	b.WriteString("}\n")
	return b.String()
}
