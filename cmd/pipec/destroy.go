package main

import (
	"context"

	"github.com/spf13/cobra"
)

const destroyLong = `Removes the objects that apply has created for the project, or for the pipelines that you name; the sources need not
declare these any more. The command lists the objects and asks for confirmation; without a terminal it needs --yes.

Runs are not removed. Active runs continue, and what they need is kept until you call destroy again after they have
ended (` + "`pipec cancel`" + ` ends them); the plan lists these objects with the run that needs each. Of a run that has just ended,
destroy waits for the Job, for at most 30 seconds. The Jobs of ended runs are deleted when their time to live has passed. Artifacts,
records, images and the namespace are kept. For a project without a name, the objects of the pipelines that the
sources declare are removed.`

func destroyCommand(c *cli) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "destroy [PIPELINE]...",
		Short: "Remove what apply has created from the cluster",
		Long:  destroyLong,
		Example: `  pipec destroy --stack prod
  pipec destroy train --yes`,
		ValidArgsFunction: c.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.destroy(cmd.Context(), args, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

func (c *cli) destroy(ctx context.Context, pipelines []string, yes bool) error {
	if !yes && !c.canAsk() {
		if err := c.open().Definitions().Applicable("destroy"); err != nil {
			return err
		}
		return usage("destroy asks before it removes anything, and there is no terminal to ask on: give --yes")
	}
	d := c.openWith(c.dir, &progress{terminal: c.terminal, changes: c.stdout}).Definitions()
	pending, err := d.PrepareDestroy(ctx, pipelines)
	if err != nil {
		return err
	}
	if err := (&reportFlags{}).print(c, &pending.Report, nil); err != nil || pending.Report.Changes.Empty() {
		return err
	}
	if !yes {
		if err := c.confirm("Remove these objects?"); err != nil {
			return err
		}
	}
	return carryOut(ctx, pending)
}
