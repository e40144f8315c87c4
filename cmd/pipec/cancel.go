package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/schema/record"
)

func cancelCommand(c *cli) *cobra.Command {
	var r orchestrator.CancelRequest
	var noWait bool
	cmd := &cobra.Command{
		Use:   "cancel [RUN]",
		Short: "Cancel a run",
		Long: `Asks a run to end: its steps get SIGTERM and, after their grace period, SIGKILL; the steps of finally still run. The
command waits until the run has ended. A run that nothing drives any more gets its end recorded. Without a name, the
latest run.`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Name, r.Wait = first(args), !noWait
			return c.cancel(cmd.Context(), &r)
		},
	}
	cmd.Flags().StringVar(&r.Pipeline, "pipeline", "", "the pipeline of the run")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until the run has ended")
	return cmd
}

func (c *cli) cancel(ctx context.Context, r *orchestrator.CancelRequest) error {
	runs, err := c.open().Runs()
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	r.Observe = c.waits
	done, err := runs.Cancel(ctx, r)
	switch {
	case err != nil:
		return err
	case done.End == nil:
		fmt.Fprintf(c.stderr, "Run %s was asked to end.\n", done.Run)
	case done.End.Status != record.Cancelled:
		fmt.Fprintf(c.stderr, "Run %s had ended before: %s.\n", done.Run, done.End.Status)
	case done.Lost:
		fmt.Fprintf(c.stderr, "Run %s, which nothing was driving any more, is cancelled.\n", done.Run)
	default:
		fmt.Fprintf(c.stderr, "Run %s is cancelled.\n", done.Run)
	}
	return nil
}
