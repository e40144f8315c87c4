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
	var src strings.Builder
	src.WriteString("pipeline \"chain\" {\n")
	for i := range steps {
		fmt.Fprintf(&src, "  step \"s%03d\" {\n    command = [%q]\n", i, program)
		if i > 0 {
			fmt.Fprintf(&src, "    depends_on = [step.s%03d]\n", i-1)
		}
		src.WriteString("  }\n")
	}
	src.WriteString("}\n")
	dir, err := b.project("chain", src.String())
	if err != nil {
		return err
	}
	loop := fmt.Sprintf("i=0; while [ $i -lt %d ]; do %s; i=$((i+1)); done", steps, program)
	run, shell, err := b.pair(
		func() (figure, error) { return b.measure(dir, b.pipec, "run") },
		func() (figure, error) { return b.measure(dir, "/bin/sh", "-c", loop) },
	)
	if err != nil {
		return err
	}
	fmt.Printf("A chain of %d steps that run %s: pipec run %s, the shell's loop %s, ratio %.2f, peak memory %s\n",
		steps, program, ms(walls(run)), ms(walls(shell)), ratio(run, shell), mb(peaks(run)))
	return nil
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
	dir, err := b.project("cached", src+"}\n")
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

func (b *bench) project(name, src string) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "p.pipec.hcl"), []byte(src), 0o644)
}
