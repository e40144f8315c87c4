package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/record"
)

const approveLong = `Answers a step that waits for approval: the step succeeds, or fails with --reject. STEP is the address of the step as
` + "`pipec runs RUN`" + ` shows it: promote, call.promote, promote["key"]. You can omit it if only one step of the run waits.

If the approval has a type, --value gives the value: text for a string, otherwise a literal of the type; @FILE reads it
from a file. The first answer counts. The records of the run keep who has answered, when and why: the user's name on
this machine, the name that the cluster knows you by on a cluster. The command waits until the run has taken the answer.

The exit status is 0 if the answer was taken, 1 if nothing waits for it, and 64 if it is not a valid answer.`

func approveCommand(c *cli) *cobra.Command {
	var r orchestrator.AnswerRequest
	var out outputFlag
	cmd := &cobra.Command{
		Use:   "approve RUN [STEP]",
		Short: "Approve or reject a step that waits for approval",
		Long:  approveLong,
		Example: `  # The answer that the latest run waits for
  pipec approve latest

  # A rejection, and an answer with a value
  pipec approve nightly-7c2a review --reject --reason "not before the holidays"
  pipec approve nightly-7c2a promote --value '{ stage = "production" }'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("which run? `pipec runs` lists the runs, and \"latest\" is the newest")
			}
			return atMost(2)(cmd, args)
		},
		ValidArgsFunction: c.completeApprovals,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Name, r.Step, r.Valued = args[0], paths.Form(strings.Join(args[1:], "")), cmd.Flags().Changed("value")
			if err := r.Check(); err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			return c.approve(cmd.Context(), &r, &out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Value, "value", "", "the `VALUE` that the approval asks for, or @FILE")
	f.BoolVar(&r.Reject, "reject", false, "reject: the step fails")
	f.StringVar(&r.Reason, "reason", "", "the reason, for the records of the run")
	out.add(cmd, "the address of the step")
	f.StringVar(&r.Pipeline, "pipeline", "", "the pipeline of the run")
	return cmd
}

func (c *cli) approve(ctx context.Context, r *orchestrator.AnswerRequest, out *outputFlag) error {
	runs, err := c.open().Runs()
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	r.Observe = c.waits
	done, err := runs.Answer(ctx, r)
	if err != nil {
		return err
	}
	answered := struct {
		Run string `json:"run"`
		*record.StepEnd
	}{done.Run, done.End}
	if printed, err := out.document(c.stdout, answered); printed {
		return err
	}
	if printed, err := out.names(c.stdout, []string{done.End.Name}); printed {
		return err
	}
	what := "approved"
	if done.End.Answer.Reject {
		what = "rejected"
	}
	_, err = fmt.Fprintf(c.stderr, "%s of run %s is %s.\n", done.End.Name, done.Run, what)
	return fault.Env(err)
}
