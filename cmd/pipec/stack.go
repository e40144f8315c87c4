package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
)

func stackCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stack",
		Short: "List, show, choose, check, make and remove stacks",
		Example: `  pipec stack list
  pipec stack check prod`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(stackListCommand(c), stackUseCommand(c), stackShowCommand(c), stackCheckCommand(c), stackRecipeCommand(c), stackUpCommand(c), stackDownCommand(c), stackKubeconfigCommand(c))
	return cmd
}

func stackListCommand(c *cli) *cobra.Command {
	var out outputFlag
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the stacks; * marks the chosen stack",
		Example: `  pipec stack list
  pipec stack list -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := out.check(); err != nil {
				return err
			}
			r, err := c.open().ForStack()
			if err != nil {
				return err
			}
			if done, err := out.document(c.stdout, r.AllStacks()); done {
				return err
			}
			var names []string
			for _, s := range r.AllStacks() {
				names = append(names, s.Name)
			}
			if done, err := out.names(c.stdout, names); done {
				return err
			}
			w := table(c.stdout)
			head := "  NAME\tORCHESTRATOR\tARTIFACT STORE\tCONTAINER REGISTRY"
			if out.wide() {
				head += "\tNAMESPACE"
			}
			fmt.Fprintln(w, head)
			for _, s := range r.AllStacks() {
				mark, registry := " ", "-"
				if r.Stack != nil && r.Stack.Name == s.Name {
					mark = "*"
				}
				if s.Registry != nil {
					registry = s.Registry.URI
				}
				row := []string{mark + " " + s.Name, c.tables.Kinds.Describe(s), s.ArtifactStore.Path, registry}
				if out.wide() {
					row = append(row, s.Orchestrator.Namespace)
				}
				tableRow(w, row...)
			}
			return fault.Env(w.Flush())
		},
	}
	out.add(cmd, "the names of stacks")
	return cmd
}

func stackUseCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "use NAME",
		Short: "Choose the stack of this project on this machine",
		Long: `Writes the choice to .pipec/stack. --stack and PIPEC_STACK override it. If CI is set in the environment, the
choice is ignored.`,
		Example:           `  pipec stack use local`,
		Args:              exactly(1, "the name of a stack"),
		ValidArgsFunction: c.completeStacks,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := c.open().Use(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.stderr, "The stack of this project is now %q.\n", args[0])
			return fault.Env(err)
		},
	}
}

func stackShowCommand(c *cli) *cobra.Command {
	out := outputFlag{}
	cmd := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show the named or the chosen stack",
		Long:  "Shows all attributes of a stack, with their defaults: as JSON, unless --output says otherwise.",
		Example: `  pipec stack show
  pipec stack show prod -o yaml`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeStacks,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			if len(args) == 1 {
				c.stack = args[0]
			}
			r, err := c.open().ForStack()
			if err != nil {
				return err
			}
			s, err := r.ChosenStack()
			if err != nil {
				return err
			}
			if done, err := out.names(c.stdout, []string{s.Name}); done {
				return err
			}
			if out.text() {
				out.format = outJSON
			}
			_, err = out.document(c.stdout, s)
			return err
		},
	}
	out.add(cmd, "the name of the stack")
	return cmd
}
