package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// chain measures a run of 100 steps, each after the one before and each the program true, beside a shell loop that
// starts the same program as often.
func (b *bench) chain() error {
	const steps = 100
	program, err := exec.LookPath("true")
	if err != nil {
		return err
	}
	loop := fmt.Sprintf("i=0; while [ $i -lt %d ]; do %s; i=$((i+1)); done", steps, program)
	fmt.Printf("A chain of %d steps that run %s, beside a shell's loop that starts it as often\n", steps, program)
	for _, place := range b.places() {
		dir, err := project(filepath.Join(place, "chain"), chainOf(steps, program))
		if err != nil {
			return err
		}
		where := "on the disk of the source"
		if place != b.dir {
			where = "in memory (" + filepath.Dir(place) + ")"
		}
		for _, shell := range shells() {
			run, theirs, err := b.pair(
				func() (figure, error) { return b.measure(dir, b.pipec, "run") },
				func() (figure, error) { return b.measure(dir, shell, "-c", loop) },
			)
			if err != nil {
				return err
			}
			fmt.Printf("  %s: pipec run %s, %s %s, ratio %.2f, peak memory %s\n",
				where, ms(walls(run)), shell, ms(walls(theirs)), ratio(run, theirs), mb(peaks(run)))
		}
	}
	return nil
}

// chainOf writes n steps that run a program, each after the one before it.
func chainOf(n int, program string) string {
	var src strings.Builder
	src.WriteString("pipeline \"chain\" {\n")
	for i := range n {
		fmt.Fprintf(&src, "  step \"s%03d\" {\n    command = [%q]\n", i, program)
		if i > 0 {
			fmt.Fprintf(&src, "    depends_on = [step.s%03d]\n", i-1)
		}
		src.WriteString("  }\n")
	}
	src.WriteString("}\n")
	return src.String()
}

// shells are bash, which most people's loops run in, and sh, which on Debian is dash and starts a process fastest of all.
func shells() []string {
	out := []string{"/bin/sh"}
	if bash, err := exec.LookPath("bash"); err == nil {
		out = append(out, bash)
	}
	return out
}

// places are where runs are measured: on the disk, and, where there is such a place, in memory. What a run keeps are many
// small files, and what a file costs differs much between disks.
func (b *bench) places() []string {
	if b.memory == "" {
		return []string{b.dir}
	}
	return []string{b.dir, b.memory}
}

// cached measures a run whose steps are all in the cache, beside the run that put them there.
func (b *bench) cached() error {
	src := `pipeline "cached" {
  cache = true
  step "first" {
    command = ["sh", "-c", "sleep 0.2; echo 1 > $PIPEC_OUTPUT_x"]
    output "x" {
      type = number
    }
  }
`
	for i := range 20 {
		src += fmt.Sprintf("  step \"s%02d\" {\n    command = [\"sh\", \"-c\", \"sleep 0.2; cp $PIPEC_INPUT_x $PIPEC_OUTPUT_x\"]\n"+
			"    input \"x\" {\n      value = step.first.x + %d\n    }\n    output \"x\" {\n      type = number\n    }\n  }\n", i, i)
	}
	dir, err := project(filepath.Join(b.dir, "cached"), src+"}\n")
	if err != nil {
		return err
	}
	first, second, err := b.pair(
		func() (figure, error) {
			if err := os.RemoveAll(filepath.Join(dir, ".pipec")); err != nil {
				return figure{}, err
			}
			return b.measure(dir, b.pipec, "run")
		},
		func() (figure, error) { return b.measure(dir, b.pipec, "run") },
	)
	if err != nil {
		return err
	}
	fmt.Printf("21 steps that sleep 0.2 s: the first run %s, the second one, from the cache, %s, ratio %.3f\n",
		ms(walls(first)), ms(walls(second)), ratio(second, first))
	return nil
}

func project(dir, src string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "p.pipec.hcl"), []byte(src), 0o644)
}
