package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
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
	var out outputFlag
	cmd := &cobra.Command{
		Use:               "wait [RUN]",
		Short:             "Wait until a run meets a condition",
		Long:              waitLong,
		Example:           waitExamples,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			to, err := records.ParseCondition(condition)
			if err != nil {
				return err
			}
			all, err := c.open().Runs()
			if err != nil {
				return err
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			o := records.WaitOptions{For: to, Timeout: timeout, Every: waitLocal}
			name := first(args)
			if all.Detached {
				if name == "" || name == runs.Latest {
					if name, err = all.Latest(ctx, pipeline); err != nil {
						return err
					}
				}
				o.Every = waitRemote
				if name != "" {
					o.Coming = waitComing
				}
			}
			return c.withRecords(ctx, func(r *records.Records) error {
				d, err := r.Wait(ctx, pipeline, name, &o)
				if err != nil {
					return err
				}
				if done, err := out.document(c.stdout, d); done {
					return err
				}
				if done, err := out.names(c.stdout, []string{d.Run.Name}); done {
					return err
				}
				_, err = fmt.Fprintf(c.stderr, "Condition met: %s of run %s.\n", condition, d.Run.Name)
				return fault.Env(err)
			})
		},
	}
	cmd.Flags().StringVar(&condition, "for", "end", "the `CONDITION` to wait for")
	cmd.Flags().DurationVar(&timeout, "timeout", -1, "how long to wait; 0: check once; negative: without a limit")
	out.add(cmd, "the name of the run")
	cmd.Flags().StringVar(&pipeline, "pipeline", "", "the pipeline of the run")
	return cmd
}
