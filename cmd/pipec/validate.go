package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/check"
	"pipec.dev/pipec/internal/app/fault"
)

const validateLong = `Checks a project offline: syntax, names, types, edges, cycles, schedules. It needs no cluster, no network, no Docker, no
Python and no stack.

All stacks are checked: a step without an image on a stack that runs pods, a pod that leaves Pod Security restricted, a
feature that the orchestrator of a stack lacks. --stack and PIPEC_STACK narrow this to one stack.

For a file, its project is checked and the diagnostics of that file are printed. The exit status is 1 if there is an
error.

` + formatsLong

func validateCommand(c *cli) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "validate [FILE|DIR]...",
		Short: "Check a project offline",
		Long:  validateLong,
		Example: `  pipec validate
  pipec validate --stack prod
  pipec validate --format sarif > pipec.sarif`,
		RunE: func(_ *cobra.Command, args []string) error {
			return c.validate(args, format)
		},
	}
	formatFlag(cmd, &format)
	return cmd
}

func (c *cli) validate(paths []string, format string) error {
	write, err := formatNamed(format)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = []string{c.dir}
	}
	found, err := check.Validate(c.project, paths)
	if err != nil {
		return err
	}
	v := diag.NewView(found.Diags, found.Sources)
	if format != "human" || len(found.Diags) > 0 {
		o := c.diagOptions()
		o.Version = pipecVersion()
		if err := write(c.stdout, v, o); err != nil {
			return fault.Env(err)
		}
	}
	if !v.Valid {
		return silent(exitUser)
	}
	if format == "human" {
		_, err := fmt.Fprintf(c.stdout, "%s %s.\n", c.paint("32;1", "Valid:"), describe(found))
		return fault.Env(err)
	}
	return nil
}

// describe returns what was checked: what a project declares, or how many projects there are.
func describe(f *check.Found) string {
	if f.Projects > 1 {
		return plural(f.Projects, "project")
	}
	text := fmt.Sprintf("%s, %s", plural(f.Last.Pipelines, "pipeline"), plural(f.Last.Steps, "step"))
	if f.Last.Stacks > 0 {
		text += ", " + plural(f.Last.Stacks, "stack")
	}
	return text
}
