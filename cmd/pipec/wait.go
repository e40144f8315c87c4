package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
)

const waitLong = `Waits until a run meets a condition:

    end                  the run has ended, however (the default)
    status=STATUS        the run has a status: running, succeeded, failed, cancelled, timed_out or lost
    step=STEP            a step has ended, however
    step=STEP=STATUS     a step has a status, which may be skipped too
    step=STEP=waiting    an approval waits for its answer

The exit status is 0 if the condition is met, and 1 if it can't be met any more, or not within --timeout. Without a name, the
latest run. Ctrl-C doesn't cancel the run.`

const waitExamples = `  # Start a run on the cluster, and fail if it doesn't succeed within an hour
  run=$(pipec run nightly --detach)
  pipec wait "$run" --for status=succeeded --timeout 1h

  # Wait until an approval of the latest run needs an answer
  pipec wait latest --for step=review=waiting`

// Times of the command wait.
const (
	waitLocal  = 200 * time.Millisecond // between two checks of a run of this machine
	waitRemote = 2 * time.Second
	waitComing = 2 * time.Minute // for the first records of a run that was just started on a cluster
)

func waitCommand(c *cli) *cobra.Command {
	var condition, pipeline string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:               "wait [RUN]",
		Short:             "Wait until a run meets a condition",
		Long:              waitLong,
		Example:           waitExamples,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := records.ParseCondition(condition)
			if err != nil {
				return err
			}
			all, err := c.open().Runs()
			if err != nil {
				return err
			}
			o := records.WaitOptions{For: to, Timeout: timeout, Every: waitLocal}
			if all.Detached {
				o.Every = waitRemote
				if name := first(args); name != "" && name != runs.Latest {
					o.Coming = waitComing
				}
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return c.withRecords(ctx, func(r *records.Records) error {
				d, err := r.Wait(ctx, pipeline, first(args), &o)
				if err == nil {
					fmt.Fprintf(c.stderr, "Condition met: %s of run %s.\n", condition, d.Run.Name)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&condition, "for", "end", "the `CONDITION` to wait for")
	cmd.Flags().DurationVar(&timeout, "timeout", -1, "how long to wait; 0: check once; negative: without a limit")
	cmd.Flags().StringVar(&pipeline, "pipeline", "", "the pipeline of the run")
	return cmd
}
