package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of `go test -json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // set for a package that could not be built
	Test       string
	Output     string
	Elapsed    float64
}

// test is one test, or a subtest.
type test struct{ pkg, name string }

type sum struct {
	passed, failed int
	skipped        []test
}

// read counts the events, and writes each package when it ends, with the output of its failures.
func read(in io.Reader, out io.Writer) (sum, error) {
	var s sum
	said := map[test]*strings.Builder{} // the output of each running test
	inside := map[string]int{}          // the number of failed tests in each package
	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprintf(out, "%s", line) // written by the go command itself, not by a test
			} else {
				s.event(e, said, inside, out)
			}
		}
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return s, err
		}
	}
}

func (s *sum) event(e event, said map[test]*strings.Builder, inside map[string]int, out io.Writer) {
	t := test{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		if e.Action == "build-output" {
			fmt.Fprint(out, e.Output)
			return
		}
		if said[t] == nil {
			said[t] = &strings.Builder{}
		}
		said[t].WriteString(e.Output)
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	output := ""
	if said[t] != nil {
		output = said[t].String()
		delete(said, t)
	}
	switch {
	case e.Test == "":
		s.pkg(e, output, inside[e.Package], out)
	case e.Action == "pass":
		s.passed++
	case e.Action == "skip":
		s.skipped = append(s.skipped, t)
	default:
		s.failed++
		inside[e.Package]++
		fmt.Fprintf(out, "%s: %s\n%s", e.Package, e.Test, output)
	}
}

// pkg handles the end of a package. A package that failed without a failed test (it can't be built, or it ended early) is a
// failure of its own.
func (s *sum) pkg(e event, output string, failures int, out io.Writer) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(out, "ok    %s  %.1fs\n", e.Package, e.Elapsed)
	case "fail":
		if failures == 0 {
			s.failed++
			fmt.Fprint(out, output)
		}
		fmt.Fprintf(out, "FAIL  %s  %.1fs\n", e.Package, e.Elapsed)
	}
}
