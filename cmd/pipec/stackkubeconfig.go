package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
)

func stackKubeconfigCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig [NAME]",
		Short: "Add the EKS cluster of a stack to the kubeconfig",
		Long: `Adds the EKS cluster of the named or the chosen stack to the kubeconfig, and makes it the current context, as
aws eks update-kubeconfig does. kubectl then gets its tokens from the command aws. pipec itself doesn't need this.`,
		Example:           `  pipec stack kubeconfig aws`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeStacks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.stack = args[0]
			}
			file, name, err := c.recipes().Kubeconfig(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.stderr, "The current context in %s is now %s.\n", file, name)
			return fault.Env(err)
		},
	}
}
