// Command bench measures pipec as whole processes, and each figure beside something measured in the same run: compiling
// beside HCL's own parse of the same bytes, a chain of steps beside a shell loop that starts the same program. The two
// take turns, and medians and the median of the pairs' ratios are printed: what one machine does in a moment of noise
// says little, a ratio says more.
//
//	go run ./test/bench [-rounds 5]
//	go run ./test/bench -base COMMIT    this version beside the one of that commit
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each is measured")
	parse := flag.String("parse", "", "parse this file with HCL alone and say how long it took (what the command starts itself for)")
	base := flag.String("base", "", "measure only this version beside the one of this `commit`, and fail if a command is slower by more than 3%")
	flag.Parse()
	if *parse != "" {
		parseOnce(*parse)
		return
	}
	if err := run(*rounds, *base); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	dir    string // a directory of its own, removed at the end
	memory string // another one, in memory; "" where there is none
	pipec  string
	self   string
	rounds int
}

func run(rounds int, base string) error {
	// Beside the source, not in a temporary directory: that may be of another kind of file system.
	dir, err := os.MkdirTemp(".", ".bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	b := &bench{dir: dir, pipec: filepath.Join(dir, "pipec"), rounds: rounds}
	if b.memory, err = os.MkdirTemp("/dev/shm", "bench-"); err == nil {
		defer os.RemoveAll(b.memory)
	}
	if err := build(".", b.pipec); err != nil {
		return err
	}
	if base != "" {
		return b.versions(base)
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	for _, part := range []func() error{b.compile, b.growth, b.chain, b.cached} {
		if err := part(); err != nil {
			return err
		}
		fmt.Println()
	}
	return nil
}

// build builds the pipec of a source tree.
func build(tree, out string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "./cmd/pipec")
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// figure is one process, measured from outside.
type figure struct {
	wall time.Duration
	cpu  time.Duration // of all its processors, and those of its children
	peak int64         // of memory, in bytes
}

// measure runs a command to its end.
func (b *bench) measure(dir, name string, args ...string) (figure, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "CI=true")
	start := time.Now()
	out, err := cmd.CombinedOutput()
	f := figure{wall: time.Since(start)}
	if err != nil {
		return f, fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, out)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.peak = int64(usage.Maxrss) << 10
	}
	f.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return f, nil
}

// pair measures two commands in turn, after one turn that does not count.
func (b *bench) pair(one, two func() (figure, error)) (first, second []figure, err error) {
	return b.pairOf(b.rounds, one, two)
}

// pairOf is pair with its own number of rounds.
func (b *bench) pairOf(rounds int, one, two func() (figure, error)) (first, second []figure, err error) {
	for i := range rounds + 1 {
		f, err := one()
		if err != nil {
			return nil, nil, err
		}
		s, err := two()
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			first, second = append(first, f), append(second, s)
		}
	}
	return first, second, nil
}

func median[T int64 | float64 | time.Duration](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

func walls(all []figure) time.Duration {
	var out []time.Duration
	for _, f := range all {
		out = append(out, f.wall)
	}
	return median(out)
}

func cpus(all []figure) time.Duration {
	var out []time.Duration
	for _, f := range all {
		out = append(out, f.cpu)
	}
	return median(out)
}

func peaks(all []figure) int64 {
	var out []int64
	for _, f := range all {
		out = append(out, f.peak)
	}
	return median(out)
}

// ratio is the median of the ratios, pair by pair.
func ratio(first, second []figure) float64 {
	var out []float64
	for i := range first {
		out = append(out, float64(first[i].wall)/float64(second[i].wall))
	}
	return median(out)
}

func table() *tabwriter.Writer {
	return tabwriter.NewWriter(os.Stdout, 0, 4, 3, ' ', tabwriter.AlignRight)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

func mb(n int64) string { return fmt.Sprintf("%d MB", n>>20) }
