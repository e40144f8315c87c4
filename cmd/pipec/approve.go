package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	osuser "os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

const approveLong = `Answers a step that waits for approval: it succeeds, or, with --reject, fails. STEP is the step's address, as
` + "`pipec runs RUN`" + ` and the run itself show it: promote, call.promote, promote["key"]. Where only one step of the run
waits, it may be left out.

Where the approval has a type, --value gives the value: text for a string, else a literal of the type; @FILE reads it
from a file. The first answer counts. Who has answered, when, and the reason stand in the run's records: on this machine
the user's name, on a cluster the name by which the cluster knows who asks. It waits until the run has taken the answer.

Exit status: 0 the answer was taken; 1 there is nothing that waits for it; 64 it can't be an answer.`

// answerOptions are the flags of approve.
type answerOptions struct {
	value, reason, output, pipeline string
	valued, reject                  bool
}

func (a *app) approveCommand() *cobra.Command {
	var o answerOptions
	cmd := &cobra.Command{
		Use:   "approve RUN [STEP]",
		Short: "Approve or reject what a run waits for",
		Long:  approveLong,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("which run? `pipec runs` lists them, and \"latest\" is the newest")
			}
			return atMost(2)(cmd, args)
		},
		ValidArgsFunction: a.completeApprovals,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.valued = cmd.Flags().Changed("value")
			if err := o.check(); err != nil {
				return err
			}
			return a.approve(cmd.Context(), args[0], strings.Join(args[1:], ""), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.value, "value", "", "the `VALUE` that the approval asks for, or @FILE")
	f.BoolVar(&o.reject, "reject", false, "say no: the step fails")
	f.StringVar(&o.reason, "reason", "", "why, for the record")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	f.StringVar(&o.pipeline, "pipeline", "", "the pipeline whose run is meant")
	return cmd
}

func (o *answerOptions) check() error {
	switch {
	case o.reject && o.valued:
		return usage("--reject and --value: who says no gives no value")
	case len(o.reason) > record.MaxMessage:
		return usage("--reason has %d bytes, and may have %d", len(o.reason), record.MaxMessage)
	}
	return textOrJSON(o.output)
}

func (a *app) approve(ctx context.Context, name, step string, o answerOptions) error {
	r, err := a.compileStack()
	if err != nil {
		return err
	}
	stack, err := theStack(r)
	if err != nil {
		return err
	}
	if onCluster(stack) {
		return a.approveRemote(ctx, stack, name, step, o)
	}
	run, err := a.findRun(ctx, r, o.pipeline, name)
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
	asked, err := findApproval(ctx, reader, run, step)
	if err != nil {
		return err
	}
	answer, err := o.answer(asked)
	if err != nil {
		return err
	}
	answer.By = localUser()
	ctx, signals := a.onInterrupt(ctx)
	defer signals.stop()
	end, err := local.Approve(ctx, lo, run, asked.Name, answer)
	switch {
	case signals.interrupted():
		return a.leftAnswer()
	case err != nil:
		return refused(err)
	}
	return a.sayAnswered(run, end, o.output)
}

// findApproval finds what is to be answered, by the run's records.
func findApproval(ctx context.Context, reader *runs.Reader, run *record.Run, step string) (*record.StepEnd, error) {
	detail, err := reader.Show(ctx, run)
	if err != nil {
		return nil, world(err)
	}
	switch {
	case detail.End != nil:
		text := fmt.Sprintf("run %s has ended already: %s", run.Name, detail.End.Status)
		if s := detail.Step(step); s != nil && s.Ask != nil {
			text += "; of " + step + ": " + runs.HowAnswered(s)
		}
		return nil, user(errors.New(text))
	case detail.Status == record.Lost:
		return nil, user(fmt.Errorf("nothing drives run %s: `pipec rerun %s` goes on with it", run.Name, run.Name))
	}
	p, err := reader.Program(ctx, run)
	if err != nil {
		return nil, world(err)
	}
	s, err := detail.Approval(p, step)
	var none *runs.NoApprovalError
	switch {
	case errors.As(err, &none) && none.Unknown:
		text := none.Error()
		if near := diag.Suggest(step, addresses(detail, p)); step != "" && near != "" {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, usage("%s", text)
	case err != nil:
		return nil, user(err)
	}
	return s, nil
}

// addresses are what STEP may be: the approvals of the pipeline itself, and those that the run has so far.
func addresses(d *runs.Detail, p *program.Program) []string {
	var out []string
	for _, s := range p.All() {
		if s.Approval != nil {
			out = append(out, s.Name)
		}
	}
	for i := range d.Steps {
		if d.Steps[i].Ask != nil {
			out = append(out, d.Steps[i].Name)
		}
	}
	return out
}

// answer makes what the flags say an answer to what is asked.
func (o *answerOptions) answer(asked *record.StepEnd) (*record.Answer, error) {
	out := &record.Answer{At: time.Now().UTC().Round(0), Reject: o.reject, Reason: o.reason}
	ask := asked.Ask
	switch {
	case o.reject:
	case ask.Type == "" && o.valued:
		return nil, usage("%s asks for no value: leave --value out", asked.Name)
	case ask.Type != "" && !o.valued:
		return nil, usage("%s asks for a value: --value VALUE, which is %s", asked.Name, ask.Type)
	case o.valued:
		want, err := types.ParseString(ask.Type)
		if err != nil {
			return nil, world(err)
		}
		if out.Value, err = valueGiven("--value", want, o.value, nil); err != nil {
			return nil, err
		}
	}
	if err := engine.CheckAnswer(ask, out); err != nil {
		return nil, usage("%v", err)
	}
	data, err := json.Marshal(out)
	if err == nil && len(data) > record.MaxAnswer {
		return nil, usage("the answer has %d bytes, and may have %d: what is larger is an artifact, for a step to fetch", len(data), record.MaxAnswer)
	}
	return out, world(err)
}

// localUser is who this process runs as.
func localUser() string {
	u, err := osuser.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

func (a *app) leftAnswer() error {
	fmt.Fprintln(a.stderr, "The answer is given; not waiting until the run takes it.")
	return said(exitInterrupted)
}

// sayAnswered says what has become of a step by the answer.
func (a *app) sayAnswered(run *record.Run, end *record.StepEnd, output string) error {
	if output == "json" {
		return world(json.NewEncoder(a.stdout).Encode(struct {
			Run string `json:"run"`
			*record.StepEnd
		}{run.Name, end}))
	}
	what := "approved"
	if end.Answer.Reject {
		what = "rejected"
	}
	fmt.Fprintf(a.stderr, "%s of run %s is %s.\n", end.Name, run.Name, what)
	return nil
}

// completeApprovals completes runs, and then what waits in one.
func (a *app) completeApprovals(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeRuns(cmd, args, word)
	}
	r, err := a.compile(a.dir)
	if err != nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	reader, err := a.reader(r)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer reader.Close()
	run, err := reader.Resolve(cmd.Context(), "", args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	if detail, err := reader.Show(cmd.Context(), run); err == nil {
		for _, s := range detail.Waiting() {
			out = append(out, s.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
