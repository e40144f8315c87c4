package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
)

func stackCheckCommand(c *cli) *cobra.Command {
	var out outputFlag
	cmd := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Check what runs on a stack need",
		Long: `Checks what runs on a stack need: that the artifact store can be written and read, and that it does not overwrite
objects that may be written once; which interpreter is used if a pipeline has python steps; for a cluster, that it can be
reached, its version, the namespace, and whether you have the permissions that pipec needs; the rights of the coordinator's
service account, if the stack names one; where the steps can write in the store, if it has steps_secret. The exit status
is 3 if a check fails.`,
		Example: `  pipec stack check
  pipec stack check prod -o name`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeStacks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.stack = args[0]
			}
			return c.stackCheck(cmd.Context(), &out)
		},
	}
	out.add(cmd, "the parts that are not in order")
	return cmd
}

func (c *cli) stackCheck(ctx context.Context, out *outputFlag) error {
	if err := out.check(); err != nil {
		return err
	}
	runs, err := c.open().Runner()
	if err != nil {
		return err
	}
	findings := runs.Check(ctx)
	var bad []string
	for _, f := range findings {
		if !f.OK && !slices.Contains(bad, f.Part) {
			bad = append(bad, f.Part)
		}
	}
	done, err := out.document(c.stdout, findings)
	if !done {
		done, err = out.names(c.stdout, bad)
	}
	if err != nil {
		return err
	}
	if !done {
		for _, f := range findings {
			mark := c.paint("32", "✓")
			if !f.OK {
				mark = c.paint("31", "✗")
			}
			if _, err := fmt.Fprintf(c.stdout, "%s %s: %s\n", mark, f.Part, f.Text); err != nil {
				return fault.Env(err)
			}
		}
	}
	if len(bad) > 0 {
		return silent(exitEnvironment)
	}
	return nil
}
