package main

import (
	"context"

	"github.com/spf13/cobra"
)

const destroyLong = `Removes what apply has made for the project: all of it, or what it made for the pipelines named, which the source
need not have any more. It shows what goes and asks; where nobody can be asked it needs --yes.

Runs are not removed: those at work go on, what they need stays until destroy is called again after them (see ` + "`pipec cancel`" + `),
and the Jobs of ended ones go by their own time to live. Artifacts, records and images stay where they are, and so does the
namespace. A project without a name has no inventory: what the source's pipelines are called is removed.`

func destroyCommand(c *cli) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "destroy [PIPELINE]...",
		Short:             "Remove what apply has made from the cluster",
		Long:              destroyLong,
		ValidArgsFunction: c.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.destroy(cmd.Context(), args, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (c *cli) destroy(ctx context.Context, pipelines []string, yes bool) error {
	if !yes && !c.canAsk() {
		return usage("destroy asks before it removes anything, and there is no terminal to ask on: give --yes")
	}
	d := c.openWith(c.dir, &progress{terminal: c.terminal, changes: c.stdout}).Definitions()
	pending, err := d.PrepareDestroy(ctx, pipelines)
	if err != nil {
		return err
	}
	if err := (&reportFlags{}).print(c, &pending.Report, false); err != nil || pending.Report.Changes.Empty() {
		return err
	}
	if !yes {
		if err := c.confirm("Remove these objects?"); err != nil {
			return err
		}
	}
	return carryOut(ctx, pending)
}
