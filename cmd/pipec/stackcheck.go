package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
)

func stackCheckCommand(c *cli) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Check what runs on a stack need",
		Long: `Checks what runs on a stack need: that the artifact store can be written and read, and that it does not overwrite
objects that may be written once; which interpreter is used if a pipeline has python steps; for a cluster, that it can be
reached, its version, the namespace, and whether you have the permissions that pipec needs, and a service account of
your own for the coordinator has its rights; and what the credentials of the steps (steps_secret) may write to the
store. The exit status is 3 if a check fails.`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeStacks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.stack = args[0]
			}
			return c.stackCheck(cmd.Context(), output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func (c *cli) stackCheck(ctx context.Context, output string) error {
	if err := textOrJSON(output); err != nil {
		return err
	}
	runs, err := c.open().Runner()
	if err != nil {
		return err
	}
	enc := json.NewEncoder(c.stdout)
	good := true
	for _, f := range runs.Check(ctx) {
		good = good && f.OK
		if output == "json" {
			if err := enc.Encode(f); err != nil {
				return fault.Env(err)
			}
			continue
		}
		mark := c.paint("32", "✓")
		if !f.OK {
			mark = c.paint("31", "✗")
		}
		if _, err := fmt.Fprintf(c.stdout, "%s %s: %s\n", mark, f.Part, f.Text); err != nil {
			return fault.Env(err)
		}
	}
	if !good {
		return silent(exitEnvironment)
	}
	return nil
}
