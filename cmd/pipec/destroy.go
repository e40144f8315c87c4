package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/schema/program"
)

const destroyLong = `Removes what apply has made for the project: all of it, or what it made for the pipelines named, which the source
need not have any more. It shows what goes and asks; where nobody can be asked it needs --yes.

Runs are not removed: those at work go on, what they need stays until destroy is called again after them (see ` + "`pipec cancel`" + `),
and the Jobs of ended ones go by their own time to live. Artifacts, records and images stay where they are, and so does the
namespace. A project without a name has no inventory: what the source's pipelines are called is removed.`

func (a *app) destroyCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "destroy [PIPELINE]...",
		Short:             "Remove what apply has made from the cluster",
		Long:              destroyLong,
		ValidArgsFunction: a.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.destroy(cmd.Context(), args, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) destroy(ctx context.Context, args []string, yes bool) error {
	if !yes && !a.canAsk() {
		return usage("destroy asks before it removes anything, and here is nobody to ask: give --yes")
	}
	r, err := a.compileStack()
	if err != nil {
		return err
	}
	stack, err := clusterStack(r, "destroy")
	if err != nil {
		return err
	}
	c, err := connect.Open(ctx, stack.Orchestrator, a.env)
	if err != nil {
		return world(err)
	}
	options := cluster.Options{Cluster: c, Project: r.Project}
	if r.Project == "" {
		if options, err = a.nameless(ctx, r, stack, args, c); err != nil {
			return err
		}
	}
	changes, err := cluster.Destroy(ctx, options, args)
	if err != nil {
		return world(err)
	}
	shown := report.Report{
		Stack: stack.Name, Context: c.Context, Host: c.Host, Namespace: c.Namespace, Project: r.Project, Destroy: true, Changes: *changes,
		Notes: []string{"artifacts and records stay in " + stack.ArtifactStore.Path},
	}
	shown.Count()
	if len(changes.List) > 0 {
		if shown.Runs, err = cluster.LiveRuns(ctx, c, pipelinesOf(changes)); err != nil {
			return world(err)
		}
	}
	if err := a.showReport(&shown, report.Options{Color: a.color()}, false); err != nil || changes.Empty() {
		return err
	}
	if !yes {
		if yes, err := a.confirm("Remove this?"); err != nil || !yes {
			return refusal(err)
		}
	}
	return a.carryOut(ctx, a.stdout, options, changes)
}

// nameless is for a project without a name: what its source's pipelines are called.
func (a *app) nameless(ctx context.Context, r *compiler.Result, stack *program.Stack, args []string, c *connect.Cluster) (cluster.Options, error) {
	if _, err := a.told(r); err != nil {
		return cluster.Options{}, err
	}
	w, err := a.want(ctx, r, stack, args, wantOptions{cluster: c})
	if err != nil {
		return cluster.Options{}, err
	}
	return w.options, nil
}

func pipelinesOf(changes *cluster.Changes) []string {
	var out []string
	for i := range changes.List {
		if p := changes.List[i].Pipeline; !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
