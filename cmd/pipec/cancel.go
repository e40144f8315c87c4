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
	var out outputFlag
	cmd := &cobra.Command{
		Use:   "cancel [RUN]",
		Short: "Cancel a run",
		Long: `Asks a run to end: its steps get SIGTERM and, after their grace period, SIGKILL; the steps of finally still run. The
command waits until the run has ended. A run that nothing drives any more gets its end recorded. Without a name, the
latest run.`,
		Example: `  pipec cancel
  pipec cancel nightly-7c2a`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			r.Name, r.Wait = first(args), !noWait
			return c.cancel(cmd.Context(), &r, &out)
		},
	}
	cmd.Flags().StringVar(&r.Pipeline, "pipeline", "", "the pipeline of the run")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until the run has ended")
	out.add(cmd, "the name of the run")
	return cmd
}

func (c *cli) cancel(ctx context.Context, r *orchestrator.CancelRequest, out *outputFlag) error {
	runs, err := c.open().Runs()
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	r.Observe = c.waits
	done, err := runs.Cancel(ctx, r)
	if err != nil {
		return err
	}
	cancelled := struct {
		Run  string      `json:"run"`
		Lost bool        `json:"lost,omitempty"`
		End  *record.End `json:"end,omitempty"`
	}{done.Run, done.Lost, done.End}
	if printed, err := out.document(c.stdout, cancelled); printed {
		return err
	}
	if printed, err := out.names(c.stdout, []string{done.Run}); printed {
		return err
	}
	switch {
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
