package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/schema/record"
)

func (a *app) cancelCommand() *cobra.Command {
	var pipeline string
	var noWait bool
	cmd := &cobra.Command{
		Use:   "cancel [RUN]",
		Short: "Cancel a run",
		Long: `Asks a run to end: its steps get SIGTERM, then, after their grace, SIGKILL; finally's steps still run. It waits
for the end. A run that nobody drives any more is ended as it stands. Without a name, the latest run.`,
		Args:              atMost(1),
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.cancel(cmd.Context(), first(args), pipeline, !noWait)
		},
	}
	cmd.Flags().StringVar(&pipeline, "pipeline", "", "the pipeline whose latest run is meant")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait for the end")
	return cmd
}

func (a *app) cancel(ctx context.Context, name, pipeline string, wait bool) error {
	r, err := a.compileStack()
	if err != nil {
		return err
	}
	stack, err := theStack(r)
	if err != nil {
		return err
	}
	if onCluster(stack) {
		return a.cancelRemote(ctx, stack, name, pipeline, wait)
	}
	run, err := a.findRun(ctx, r, pipeline, name)
	if err != nil {
		return err
	}
	lo, err := a.localOptions(r, nil)
	if err != nil {
		return err
	}
	reader, err := a.reader(r)
	if err != nil {
		return err
	}
	defer reader.Close()
	end, err := reader.End(ctx, run)
	if err != nil {
		return world(err)
	}
	if end != nil {
		return user(fmt.Errorf("run %s has ended already: %s", run.Name, end.Status))
	}
	ctx, signals := a.onInterrupt(ctx)
	defer signals.stop()
	if wait {
		fmt.Fprintf(a.stderr, "Run %s is asked to end; waiting for it.\n", run.Name)
	}
	end, err = local.Cancel(ctx, lo, run, wait)
	switch {
	case signals.interrupted():
		fmt.Fprintln(a.stderr, "The run was asked to end; not waiting for it.")
		return said(exitInterrupted)
	case err != nil:
		return refused(err)
	case end == nil:
		fmt.Fprintf(a.stderr, "Run %s is asked to end.\n", run.Name)
	case end.Status != record.Cancelled:
		fmt.Fprintf(a.stderr, "Run %s ended by itself before: %s.\n", run.Name, end.Status)
	default:
		fmt.Fprintf(a.stderr, "Run %s is cancelled.\n", run.Name)
	}
	return nil
}
