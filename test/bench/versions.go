package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// slower is the ratio above which a command counts as slower than it was at the base commit.
const slower = 1.03

// comparison is a command that is measured with both versions.
type comparison struct {
	name   string
	dir    string
	args   []string
	rounds int  // multiplies bench.rounds: short commands need more of them
	fresh  bool // .pipec is removed before each round
}

// versions measures this version of pipec beside the one of the base commit, on the same projects in turn, and prints the
// ratios. It returns an error that names the commands that are slower by more than 3% by every measure: the clock, the
// processors' time, and the least processors' time of each version, which other work on the machine disturbs least.
func (b *bench) versions(base string) error {
	old, err := b.buildAt(base)
	if err != nil {
		return err
	}
	all, err := b.comparisons()
	if err != nil {
		return err
	}
	w := table()
	fmt.Printf("This version beside %s, on the same projects in turn\n", base)
	fmt.Fprintln(w, "command\tthis version\tbase\tratio by the clock\tratio of processors\tratio of their minima\tpeak memory\tbase\t")
	var regressions []string
	for _, c := range all {
		one, two, err := b.pairOf(c.rounds*b.rounds, b.version(c, b.pipec), b.version(c, old))
		if err != nil {
			return err
		}
		wall, cpu, least := ratio(one, two), cpuRatio(one, two), float64(leastCPU(one))/float64(leastCPU(two))
		if min(wall, cpu, least) > slower {
			regressions = append(regressions, c.name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.3f\t%.3f\t%.3f\t%s\t%s\t\n", c.name, ms(walls(one)), ms(walls(two)), wall, cpu, least, mb(peaks(one)), mb(peaks(two)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(regressions) > 0 {
		return fmt.Errorf("slower than %s by more than 3%%: %q", base, regressions)
	}
	return nil
}

// version returns a function that runs a command once with the given binary.
func (b *bench) version(c comparison, pipec string) func() (figure, error) {
	return func() (figure, error) {
		if c.fresh {
			if err := os.RemoveAll(filepath.Join(c.dir, ".pipec")); err != nil {
				return figure{}, err
			}
		}
		return b.measure(c.dir, pipec, c.args...)
	}
}

// buildAt builds pipec as it was at a commit, in a work tree that is removed again, and returns the path of the binary.
func (b *bench) buildAt(commit string) (string, error) {
	tree, out := filepath.Join(b.dir, "base-tree"), filepath.Join(b.dir, "base-pipec")
	git := func(args ...string) error {
		cmd := exec.CommandContext(context.Background(), "git", args...)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %v: %w\n%s", args, err, text)
		}
		return nil
	}
	if err := git("worktree", "add", "--detach", tree, commit); err != nil {
		return "", err
	}
	defer func() { _ = git("worktree", "remove", "--force", tree) }()
	return out, build(tree, out)
}

// comparisons writes the projects and returns the commands.
func (b *bench) comparisons() ([]comparison, error) {
	program, err := exec.LookPath("true")
	if err != nil {
		return nil, err
	}
	place := b.dir
	if b.memory != "" {
		place = b.memory
	}
	var failed error
	dir := func(name, src string) string {
		d, err := project(filepath.Join(place, "versions", name), src)
		if err != nil {
			failed = err
		}
		return d
	}
	digits, err := filepath.Abs(filepath.Join("examples", "digits"))
	if err != nil {
		return nil, err
	}
	large := dir("layered", layered(10_000))
	out := []comparison{
		{name: "version", dir: digits, args: []string{"version"}, rounds: 80},
		{name: "validate examples/digits", dir: digits, args: []string{"validate"}, rounds: 60},
		{name: "validate 1,000 steps", dir: dir("layered-1000", layered(1_000)), args: []string{"validate"}, rounds: 10},
		{name: "validate 10,000 steps", dir: large, args: []string{"validate"}, rounds: 4},
		{name: "validate 10,000 calls", dir: dir("calls", calls(10_000)), args: []string{"validate"}, rounds: 4},
		{name: "validate 10,000 steps of fan-outs", dir: dir("collected", collected(10_000)), args: []string{"validate"}, rounds: 4},
		{name: "lint 10,000 steps", dir: large, args: []string{"lint", "--minimum-failure-severity", "error"}, rounds: 3},
		{name: "run a chain of 100 steps", dir: dir("chain", chainOf(100, program)), args: []string{"run"}, rounds: 20, fresh: true},
		{name: "run 1,000 instances", dir: dir("fan", fanOut(1_000)), args: []string{"run", "--parallel", "4"}, rounds: 4, fresh: true},
	}
	return out, failed
}

// cpuRatio is the median of the ratios of the processors' time, pair by pair.
func cpuRatio(first, second []figure) float64 {
	out := make([]float64, len(first))
	for i := range first {
		out[i] = float64(first[i].cpu) / float64(second[i].cpu)
	}
	return median(out)
}

// leastCPU is the least processors' time of all rounds.
func leastCPU(all []figure) time.Duration {
	return slices.MinFunc(all, func(a, b figure) int { return cmp.Compare(a.cpu, b.cpu) }).cpu
}
