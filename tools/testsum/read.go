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
	ImportPath string // of what could not be built
	Test       string
	Output     string
	Elapsed    float64
}

// test is one test, or a part of one.
type test struct{ pkg, name string }

type sum struct {
	passed, failed int
	skipped        []test
}

// read counts the events, and writes the packages as they end and the output of what failed.
func read(in io.Reader, out io.Writer) (sum, error) {
	var s sum
	said := map[test]*strings.Builder{} // what each test wrote, until it has ended
	inside := map[string]int{}          // failed tests of a package
	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprintf(out, "%s", line) // not from the tests: the go command itself
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

// pkg is the end of a package. One that failed though none of its tests did (it can't be built, or it ended early) is a
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
