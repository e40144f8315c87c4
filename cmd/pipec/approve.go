package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/schema/record"
)

const approveLong = `Answers a step that waits for approval: it succeeds, or, with --reject, fails. STEP is the step's address, as
` + "`pipec runs RUN`" + ` and the run itself show it: promote, call.promote, promote["key"]. Where only one step of the run
waits, it may be left out.

Where the approval has a type, --value gives the value: text for a string, else a literal of the type; @FILE reads it
from a file. The first answer counts. Who has answered, when, and the reason stand in the run's records: on this machine
the user's name, on a cluster the name by which the cluster knows who asks. It waits until the run has taken the answer.

Exit status: 0 the answer was taken; 1 there is nothing that waits for it; 64 it can't be an answer.`

func approveCommand(c *cli) *cobra.Command {
	var r orchestrator.AnswerRequest
	var output string
	cmd := &cobra.Command{
		Use:   "approve RUN [STEP]",
		Short: "Approve or reject what a run waits for",
		Long:  approveLong,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("which run? `pipec runs` lists the runs, and \"latest\" is the newest")
			}
			return atMost(2)(cmd, args)
		},
		ValidArgsFunction: c.completeApprovals,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Name, r.Step, r.Valued = args[0], strings.Join(args[1:], ""), cmd.Flags().Changed("value")
			if err := r.Check(); err != nil {
				return err
			}
			if err := textOrJSON(output); err != nil {
				return err
			}
			return c.approve(cmd.Context(), &r, output)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Value, "value", "", "the `VALUE` that the approval asks for, or @FILE")
	f.BoolVar(&r.Reject, "reject", false, "say no: the step fails")
	f.StringVar(&r.Reason, "reason", "", "why, for the record")
	f.StringVarP(&output, "output", "o", "text", "text or json")
	f.StringVar(&r.Pipeline, "pipeline", "", "the pipeline whose run is meant")
	return cmd
}

func (c *cli) approve(ctx context.Context, r *orchestrator.AnswerRequest, output string) error {
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
	if output == "json" {
		return fault.Env(json.NewEncoder(c.stdout).Encode(struct {
			Run string `json:"run"`
			*record.StepEnd
		}{done.Run, done.End}))
	}
	what := "approved"
	if done.End.Answer.Reject {
		what = "rejected"
	}
	fmt.Fprintf(c.stderr, "%s of run %s is %s.\n", done.End.Name, done.Run, what)
	return nil
}
