// Command compile measures the compiler: how long it takes for pipelines of 4 to 10,000 steps, beside hclsyntax's own
// parse of the same bytes, and how much memory at its peak. Each measurement is a process of its own, so that none
// profits from another's warmth; the two kinds take turns, so that a busy machine slows both.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler"
)

// The targets, for the largest pipeline and for each ten times of steps.
const (
	maxRatio  = 2.0
	maxMemory = 320 << 20
	maxGrowth = 12.0
)

func main() {
	what := flag.String("measure", "", "what this process measures: compile or parse; empty: all, in processes of their own")
	dir := flag.String("dir", "", "the project to measure with")
	rounds := flag.Int("rounds", 5, "how often each is measured")
	gc := flag.Int("gc", 200, "the GC percent, as the pipec command sets it")
	flag.Parse()
	debug.SetGCPercent(*gc)
	var err error
	switch *what {
	case "":
		err = table(*rounds, *gc)
	default:
		err = measure(*what, *dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// measure does one thing and prints its time in nanoseconds and the process's memory at its peak in bytes.
func measure(what, dir string) error {
	path := filepath.Join(dir, "main.pipec.hcl")
	var took time.Duration
	switch what {
	case "parse":
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		start := time.Now()
		if _, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos); diags.HasErrors() {
			return diags
		}
		took = time.Since(start)
	case "compile":
		start := time.Now()
		r, err := compiler.Compile(compiler.Options{Dir: dir})
		if err != nil {
			return err
		}
		took = time.Since(start)
		if r.Diags.Len() > 0 || len(r.Programs) != 1 {
			return fmt.Errorf("the project does not compile: %d diagnostics", r.Diags.Len())
		}
	default:
		return fmt.Errorf("there is no measurement %q", what)
	}
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return err
	}
	fmt.Println(took.Nanoseconds(), use.Maxrss*1024)
	return nil
}

type sample struct {
	took   time.Duration
	memory int64
}

func table(rounds, gc int) error {
	work, err := os.MkdirTemp("", "pipec-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	fmt.Printf("%8s %12s %12s %8s %10s %10s\n", "steps", "compile", "parse", "ratio", "memory", "growth")
	var last time.Duration
	lastSteps, met := 0, true
	for _, steps := range []int{4, 100, 1000, 10000} {
		dir := filepath.Join(work, strconv.Itoa(steps))
		if err := project(dir, steps); err != nil {
			return err
		}
		var compiles, parses []sample
		for range rounds {
			for what, into := range map[string]*[]sample{"compile": &compiles, "parse": &parses} {
				s, err := inProcess(what, dir, gc)
				if err != nil {
					return err
				}
				*into = append(*into, s)
			}
		}
		c, p := median(compiles), median(parses)
		ratio := float64(c.took) / float64(p.took)
		growth := ""
		if lastSteps*10 == steps {
			g := float64(c.took) / float64(last)
			growth = fmt.Sprintf("%.1f×", g)
			met = met && g <= maxGrowth
		}
		fmt.Printf("%8d %12s %12s %7.2f× %7d MB %10s\n", steps, c.took.Round(10*time.Microsecond), p.took.Round(10*time.Microsecond), ratio, c.memory>>20, growth)
		if steps == 10000 {
			met = met && ratio <= maxRatio && c.memory <= maxMemory
		}
		last, lastSteps = c.took, steps
	}
	fmt.Printf("targets: %.1f× the parse and %d MB at 10,000 steps, %.0f× the time for 10× the steps: ", maxRatio, maxMemory>>20, maxGrowth)
	if !met {
		fmt.Println("missed")
		return nil
	}
	fmt.Println("met")
	return nil
}

// inProcess runs this program again for one measurement.
func inProcess(what, dir string, gc int) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	cmd := exec.Command(self, "-measure", what, "-dir", dir, "-gc", strconv.Itoa(gc))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return sample{}, err
	}
	var took, memory int64
	if _, err := fmt.Sscan(string(out), &took, &memory); err != nil {
		return sample{}, err
	}
	return sample{time.Duration(took), memory}, nil
}

// median is the sample of the middle time, with the memory of the middle.
func median(samples []sample) sample {
	slices.SortFunc(samples, func(a, b sample) int { return int(a.took - b.took) })
	m := samples[len(samples)/2]
	slices.SortFunc(samples, func(a, b sample) int { return int(a.memory - b.memory) })
	m.memory = samples[len(samples)/2].memory
	return m
}

// width is how many steps a layer has.
const width = 50

// project writes a pipeline of layers of steps, each with two inputs from the layer before.
func project(dir string, steps int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("pipeline \"bench\" {\n  param \"rate\" {\n    type    = number\n    default = 0.1\n  }\n")
	for i := range steps {
		fmt.Fprintf(&b, "\n  step \"s%d\" {\n    command = [\"./work\", \"--rate\", \"${param.rate}\", \"--out\", output.out.path]\n", i)
		if i >= width || steps < width && i > 0 {
			below := i - min(width, steps/2)
			if below < 0 {
				below = 0
			}
			fmt.Fprintf(&b, "    input \"left\" {\n      value = step.s%d.out\n    }\n", below)
			fmt.Fprintf(&b, "    input \"right\" {\n      value = step.s%d.score\n    }\n", max(0, below-1))
		}
		b.WriteString("    output \"out\" {\n      type = dataframe\n    }\n    output \"score\" {\n      type = number\n    }\n")
		b.WriteString("    resources {\n      cpu    = \"1\"\n      memory = \"1Gi\"\n    }\n    retry {\n      attempts = 3\n    }\n  }\n")
	}
	b.WriteString("}\n")
	return os.WriteFile(filepath.Join(dir, "main.pipec.hcl"), []byte(b.String()), 0o600)
}
