package main

import (
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/tests"
)

const testLong = `Runs the tests of a project: the blocks ` + "`test`" + ` in *.pipec-test.hcl and *.pipec-test.yaml, beside the pipelines. A test
declares the results of a pipeline's steps, and asserts what follows from them: which steps run, in which order, with
which results.

No process is started, and the time in a test is virtual, so that hundreds of tests take a second. pipec test works
offline, and needs no cluster, no stack and no Python.

  test "a bad model is not published" {
    mock "evaluate" { outputs = { accuracy = 0.4 } }
    assert { condition = step.publish.status == "skipped" }
  }

docs/testing.md lists all that can be in a test. The exit status is 1 if a test fails, or if there is an error in the
project or in a test.

` + formatsLong

// tester runs tests.
type tester struct {
	*cli
	format, filter string
	verbose        bool
}

func testCommand(c *cli) *cobra.Command {
	t := tester{cli: c}
	cmd := &cobra.Command{
		Use:   "test [FILE|DIR]...",
		Short: "Run the tests of a project, without running its steps",
		Long:  testLong,
		Example: `  pipec test
  pipec test --filter approval -v
  pipec test --format junit > tests.xml`,
		RunE: func(_ *cobra.Command, args []string) error { return t.test(args) },
	}
	formatFlag(cmd, &t.format)
	cmd.Flags().StringVar(&t.filter, "filter", "", "run only the tests whose name matches this regular expression")
	cmd.Flags().BoolVarP(&t.verbose, "verbose", "v", false, "list the steps of each test, with their status and their attempts")
	return cmd
}

func (t *tester) test(paths []string) error {
	write, err := formatNamed(t.format)
	if err != nil {
		return err
	}
	matches, err := regexp.Compile(t.filter)
	if err != nil {
		return usage("--filter: %v", err)
	}
	if len(paths) == 0 {
		paths = []string{t.dir}
	}
	human := t.format == "human"
	file := ""
	found, err := tests.Run(t.project, paths, tests.Options{Match: matches.MatchString, Done: func(o *tests.Outcome) {
		if human {
			t.show(o, o.File != file)
			file = o.File
		}
	}})
	if err != nil {
		return err
	}
	v := diag.NewView(found.Diags, found.Sources)
	v.Tests = found.Views()
	if !human || len(found.Diags) > 0 {
		if human && file != "" {
			fmt.Fprintln(t.stdout)
		}
		o := t.diagOptions()
		o.Version = pipecVersion()
		if err := write(t.stdout, v, o); err != nil {
			return fault.Env(err)
		}
	}
	if human {
		t.sum(found, v.Valid)
	}
	if !v.Valid {
		return silent(exitUser)
	}
	return nil
}

// show prints a test that was run, and first the name of its file if it is the first of the file.
func (t *tester) show(o *tests.Outcome, first bool) {
	if first {
		fmt.Fprintln(t.stdout, diag.Printable(o.File))
	}
	result := t.paint("32", "pass")
	if !o.Passed {
		result = t.paint("31;1", "FAIL")
	}
	fmt.Fprintf(t.stdout, "  %s  %s\n", result, diag.Printable(o.Name))
	if t.verbose && o.History != nil {
		for _, line := range o.Lines() {
			fmt.Fprintf(t.stdout, "          %s\n", diag.Printable(line))
		}
	}
}

// sum prints how many tests passed.
func (t *tester) sum(found *tests.Results, valid bool) {
	switch {
	case len(found.Tests) == 0 && !valid:
		return
	case len(found.Tests) == 0 && found.Left > 0:
		fmt.Fprintf(t.stdout, "No test was run: --filter matches none of the names of %s.\n", plural(found.Left, "test"))
		return
	case len(found.Tests) == 0:
		fmt.Fprintln(t.stdout, "There are no tests: they are blocks `test` in *.pipec-test.hcl or *.pipec-test.yaml, beside the pipelines.")
		return
	}
	result := t.paint("32;1", "Success!")
	if !valid {
		result = t.paint("31;1", "Failure!")
	}
	fmt.Fprintf(t.stdout, "%s %d passed, %d failed.\n", result, found.Passed, found.Failed)
}
