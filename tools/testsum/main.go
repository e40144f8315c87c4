// Testsum reads the output of `go test -json`, shows the packages and the failures, and counts: its last line is "N passed,
// N failed, N skipped". It fails if a test failed, or if a test was skipped that could have run.
//
//	go test -json ./... | testsum -skips FILE
//
// FILE lists the tests that may be skipped, one a line: "PACKAGE TEST | COMMAND | WHY". COMMAND is a shell command that
// succeeds if this machine can't run the test.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	skips := flag.String("skips", "", "the `FILE` with the tests that may be skipped")
	flag.Parse()
	os.Exit(run(os.Stdin, os.Stdout, *skips))
}

func run(in io.Reader, out io.Writer, skips string) int {
	allowed, err := readSkips(skips)
	if err != nil {
		fmt.Fprintln(out, "testsum:", err)
		return 1
	}
	s, err := read(in, out)
	if err != nil {
		fmt.Fprintln(out, "testsum:", err)
		return 1
	}
	bad := s.failed > 0
	for _, t := range s.skipped {
		why, ok := allowed.reason(t, shell)
		if !ok {
			bad = true
			why = "THIS MACHINE CAN RUN IT, or .ci/skips has no reason"
		}
		fmt.Fprintf(out, "skipped: %s %s: %s\n", t.pkg, t.name, why)
	}
	if s.passed+s.failed == 0 {
		fmt.Fprintln(out, "testsum: there was no test")
		bad = true
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, len(s.skipped))
	if bad {
		return 1
	}
	return 0
}

// shell reports whether a command succeeds.
func shell(command string) bool { return exec.Command("sh", "-c", command).Run() == nil }
