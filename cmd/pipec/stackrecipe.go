package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/files"
	"pipec.dev/pipec/internal/app/recipes"
)

func stackRecipeCommand(c *cli) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "recipe [NAME]",
		Short: "Write the recipe of a stack as CloudFormation and Terraform",
		Long: `Writes the recipe of the named or the chosen stack for a team that wants to own it: template.json for CloudFormation,
which stack up --template takes, and main.tf, a Terraform module with the same resources, for the providers awscc and aws.
Without --write, the command prints the template. It makes no requests.`,
		Example: `  pipec stack recipe aws > template.json
  pipec stack recipe aws --write infrastructure`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeStacks,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.stack = args[0]
			}
			return c.stackRecipe(dir)
		},
	}
	cmd.Flags().StringVar(&dir, "write", "", "write the files into the directory `DIR`")
	return cmd
}

func (c *cli) recipes() *recipes.Recipes { return &recipes.Recipes{Project: c.open().Project} }

func (c *cli) stackRecipe(dir string) error {
	written, err := c.recipes().Files()
	if err != nil {
		return err
	}
	if dir == "" {
		_, err := c.stdout.Write(written[0].Data)
		return fault.Env(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Env(err)
	}
	for _, f := range written {
		name := filepath.Join(dir, f.Name)
		there, err := os.ReadFile(name)
		switch {
		case err == nil && bytes.Equal(there, f.Data):
			fmt.Fprintf(c.stderr, "%s is up to date.\n", name)
			continue
		case err == nil:
			err = files.Replace(name, f.Data)
		default:
			err = files.Create(name, f.Data)
		}
		if err != nil {
			return fault.Env(err)
		}
		fmt.Fprintf(c.stderr, "%s written.\n", name)
	}
	return nil
}
