package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/schema/program"
)

func (a *app) stackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stack",
		Short: "List, show, choose and check stacks",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.stackListCommand(), a.stackUseCommand(), a.stackShowCommand(), a.stackCheckCommand())
	return cmd
}

func (a *app) stackListCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the stacks; * marks the one that is chosen",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.compileStack()
			if err != nil {
				return err
			}
			if output == "json" {
				return world(json.NewEncoder(a.stdout).Encode(allStacks(r)))
			}
			if output != "text" {
				return usage("there is no output %q: text or json", output)
			}
			w := tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
			fmt.Fprintln(w, "  NAME\tORCHESTRATOR\tARTIFACT STORE\tCONTAINER REGISTRY")
			for _, s := range allStacks(r) {
				mark, registry := " ", "-"
				if r.Stack != nil && r.Stack.Name == s.Name {
					mark = "*"
				}
				if s.Registry != nil {
					registry = s.Registry.URI
				}
				fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\n", mark, s.Name, describeOrchestrator(s), s.ArtifactStore.Path, registry)
			}
			return world(w.Flush())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// allStacks are the declared stacks, or the implied one.
func allStacks(r *compiler.Result) []*program.Stack {
	if len(r.Stacks) == 0 && r.Stack != nil {
		return []*program.Stack{r.Stack}
	}
	return r.Stacks
}

func describeOrchestrator(s *program.Stack) string {
	if s.Orchestrator.Kind == "kubernetes" {
		return "kubernetes (" + s.Orchestrator.Namespace + ")"
	}
	return s.Orchestrator.Kind
}

func (a *app) stackUseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "use NAME",
		Short: "Choose the stack of this project, on this machine",
		Long: `Keeps the choice in .pipec/stack. --stack and PIPEC_STACK are stronger; where CI is set in the
environment, the choice is not read.`,
		Args:              exactly(1, "the name of a stack"),
		ValidArgsFunction: a.completeStacks,
		RunE: func(_ *cobra.Command, args []string) error {
			a.stack = args[0]
			if _, err := a.compileStack(); err != nil {
				return err
			}
			path := filepath.Join(a.dir, stackFile)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return world(err)
			}
			if err := os.WriteFile(path, []byte(args[0]+"\n"), 0o644); err != nil {
				return world(err)
			}
			_, err := fmt.Fprintf(a.stderr, "The stack is %q from now on.\n", args[0])
			return world(err)
		},
	}
}

func (a *app) stackShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show [NAME]",
		Short:             "Show a stack as JSON: the one named, or the one that is chosen",
		Args:              atMost(1),
		ValidArgsFunction: a.completeStacks,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				a.stack = args[0]
			}
			r, err := a.compileStack()
			if err != nil {
				return err
			}
			s, err := theStack(r)
			if err != nil {
				return err
			}
			enc := json.NewEncoder(a.stdout)
			enc.SetIndent("", "  ")
			return world(enc.Encode(s))
		},
	}
}

func (a *app) completeStacks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	r, err := a.compile(a.dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, s := range allStacks(r) {
		names = append(names, s.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// onlyLocal refuses a stack that runs elsewhere: that is not supported yet.
func onlyLocal(s *program.Stack) error {
	if s.Orchestrator.Kind != "local" {
		d := fmt.Errorf("stack %q runs on %s, which is not supported yet; this version runs pipelines on this machine (orchestrator \"local\")", s.Name, s.Orchestrator.Kind)
		return user(d)
	}
	return nil
}
