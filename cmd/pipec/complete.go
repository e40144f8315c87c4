package main

import (
	"context"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
)

// maxCompletions is how many runs are proposed.
const maxCompletions = 50

// compiled compiles the project for a completion; nil where that is not possible.
func (c *cli) compiled() *project.Compiled {
	r, err := c.open().Compile(nil)
	if err != nil {
		return nil
	}
	return r
}

// completePipelines completes the names of the project's pipelines.
func (c *cli) completePipelines(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if r := c.compiled(); r != nil {
		names = r.Names()
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeStacks completes the names of the project's stacks.
func (c *cli) completeStacks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if r := c.compiled(); r != nil {
		for _, s := range r.AllStacks() {
			names = append(names, s.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeRuns completes the names of runs, the newest first.
func (c *cli) completeRuns(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	_ = c.withRecords(cmd.Context(), func(r *records.Records) error {
		return r.List(cmd.Context(), "", func(s runs.Summary) (bool, error) {
			names = append(names, s.Run.Name)
			return len(names) < maxCompletions, nil
		})
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeSteps completes runs, and then the steps of the run.
func (c *cli) completeSteps(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return c.completeRuns(cmd, args, word)
	}
	var steps []string
	_ = c.withRecords(cmd.Context(), func(r *records.Records) error {
		d, err := r.Show(cmd.Context(), "", args[0])
		for i := 0; err == nil && i < len(d.Steps) && i < maxCompletions; i++ {
			steps = append(steps, d.Steps[i].Name)
		}
		return err
	})
	return steps, cobra.ShellCompDirectiveNoFileComp
}

// completeApprovals completes runs, and then the steps of the run that wait for approval.
func (c *cli) completeApprovals(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	var steps []string
	switch len(args) {
	case 0:
		return c.completeRuns(cmd, args, word)
	case 1:
		_ = c.withRecords(cmd.Context(), func(r *records.Records) (err error) {
			steps, err = r.Waiting(cmd.Context(), args[0])
			return err
		})
	}
	return steps, cobra.ShellCompDirectiveNoFileComp
}

// withRecords reads the records of the chosen stack's runs.
func (c *cli) withRecords(ctx context.Context, read func(*records.Records) error) error {
	runs, err := c.open().Runs()
	if err != nil {
		return err
	}
	r, err := runs.Records(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	return read(r)
}
