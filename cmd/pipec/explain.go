package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/record"
)

const explainLong = `Explains what a run has done with a step, and why: its status; which run its result comes from, or which parts of its cache
key have changed since the earlier run; because of which step it was skipped; how long it waited and ran; where its inputs
come from; and its attempts, with the reason and the class of each failure. A failure of the class "user" counts against
retry.attempts, a failure of the class "infrastructure" doesn't.

STEP is the address of a step, an instance or a round, as ` + "`pipec runs RUN`" + ` shows it. With one argument, the step of the latest
run.`

const explainExamples = `  # Why was the step train of the latest run not cached?
  pipec explain train

  # Everything about one instance of a step, with the digests of its cache key
  pipec explain nightly-7c2a 'score["berlin"]' -o yaml`

func explainCommand(c *cli) *cobra.Command {
	var o outputFlag
	var pipeline string
	cmd := &cobra.Command{
		Use:               "explain [RUN] STEP",
		Short:             "Explain the status of a step of a run",
		Long:              explainLong,
		Example:           explainExamples,
		Args:              between(1, 2, "a run and a step: explain [RUN] STEP"),
		ValidArgsFunction: c.completeStepOrRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			run, step := "", args[len(args)-1]
			if step == "latest" && len(args) == 1 {
				return usage("pipec explain latest takes a step, too: explain latest STEP; `pipec runs latest` lists the steps")
			}
			if len(args) == 2 {
				run = args[0]
			}
			return c.withRecords(cmd.Context(), func(r *records.Records) error {
				x, err := r.Explain(cmd.Context(), pipeline, run, paths.Form(step))
				if err != nil {
					return err
				}
				if done, err := o.document(c.stdout, x); done {
					return err
				}
				if done, err := o.names(c.stdout, []string{x.Step.Name}); done {
					return err
				}
				return fault.Env(printExplanation(c.stdout, x))
			})
		},
	}
	o.add(cmd, "the address of the step")
	cmd.Flags().StringVar(&pipeline, "pipeline", "", "the pipeline of the run")
	return cmd
}

// printExplanation prints what is known of a step.
func printExplanation(out io.Writer, x *runs.Explanation) error {
	s := &x.Step
	w := table(out)
	fmt.Fprintf(w, "step\t%s\n", s.Name)
	fmt.Fprintf(w, "run\t%s (pipeline %s)\n", x.Run, x.Pipeline)
	fmt.Fprintf(w, "status\t%s\n", statusText(s))
	if why := view.Why(s); why != "" {
		fmt.Fprintf(w, "why\t%s\n", why)
	}
	if s.Because != "" {
		fmt.Fprintf(w, "because of\t%s\n", s.Because)
	}
	if x.When != "" {
		fmt.Fprintf(w, "condition\t%s\n", oneLine(x.When))
	}
	if x.CacheOff != "" {
		fmt.Fprintf(w, "cache\t%s\n", x.CacheOff)
	}
	printCache(w, s)
	for _, p := range x.Params {
		fmt.Fprintf(w, "param %s\t%s → %s\n", p.Name, oldOrNew(p.Before), oldOrNew(p.After))
	}
	printTimes(w, x)
	if err := w.Flush(); err != nil {
		return err
	}
	printNeeds(out, x)
	printInputs(out, x)
	printAttempts(out, x)
	return printParts(out, x)
}

// printCache prints which parts of the cache key have changed.
func printCache(w io.Writer, s *record.StepEnd) {
	c := s.Cache
	switch {
	case c == nil:
		return
	case s.Cached:
		fmt.Fprintf(w, "cache\thit: result of run %s, attempt %d\n", s.Run, max(s.Attempt, 1))
	case len(c.Changed) > 0:
		fmt.Fprintf(w, "cache\tmiss: compared with run %s\n", c.Run)
		for _, part := range c.Changed {
			fmt.Fprintf(w, "changed\t%s\n", oneLine(part))
		}
	default:
		fmt.Fprintf(w, "cache\tmiss: %s\n", oneLine(c.Why))
	}
}

// oldOrNew is the value of a param in a line.
func oldOrNew(value json.RawMessage) string {
	if value == nil {
		return "(none)"
	}
	return record.Shorten(oneLine(string(value)), 60)
}

// printTimes prints how long a step has waited, and how long it ran.
func printTimes(w io.Writer, x *runs.Explanation) {
	s := &x.Step
	if !s.StartedAt.IsZero() {
		fmt.Fprintf(w, "started\t%s\n", s.StartedAt.Local().Format(time.DateTime))
	}
	if !x.ReadyAt.IsZero() && s.StartedAt.After(x.ReadyAt) {
		fmt.Fprintf(w, "waited\t%s after the steps that it needs had ended\n", view.Took(x.ReadyAt, s.StartedAt))
	}
	if len(x.Attempts) > 0 && s.Run == "" {
		running := time.Duration(0)
		for i := range x.Attempts {
			running += x.Attempts[i].EndedAt.Sub(x.Attempts[i].StartedAt)
		}
		fmt.Fprintf(w, "ran\t%s in %s\n", view.Duration(running), plural(len(x.Attempts), "attempt"))
	}
	if took := view.Took(s.StartedAt, s.EndedAt); took != "" {
		fmt.Fprintf(w, "took\t%s\n", took)
	}
}

func printNeeds(out io.Writer, x *runs.Explanation) {
	if len(x.Needs) == 0 {
		return
	}
	w := table(out)
	fmt.Fprintln(w, "\nNEEDS\tSTATUS")
	for _, n := range x.Needs {
		fmt.Fprintf(w, "%s\t%s\n", n.Step, n.Status)
	}
	_ = w.Flush()
}

func printInputs(out io.Writer, x *runs.Explanation) {
	if len(x.Inputs) == 0 {
		return
	}
	w := table(out)
	fmt.Fprintln(w, "\nINPUT\tFROM\tCONTENT")
	for i := range x.Inputs {
		in, content := &x.Inputs[i], ""
		if in.Is != nil {
			content = record.Shorten(oneLine(view.Content(in.Is)), 80)
		}
		tableRow(w, in.Name, record.Shorten(oneLine(in.From), 60), content)
	}
	_ = w.Flush()
}

func printAttempts(out io.Writer, x *runs.Explanation) {
	if len(x.Attempts) == 0 {
		return
	}
	w := table(out)
	fmt.Fprintln(w, "\nATTEMPT\tSTATUS\tCLASS\tEXIT\tWAITED\tTOOK\tREASON")
	before := x.Step.StartedAt
	for i := range x.Attempts {
		a := &x.Attempts[i]
		code := a.Signal
		if a.ExitCode != nil {
			code = strconv.Itoa(*a.ExitCode)
		}
		waited := ""
		if x.Step.Run == "" {
			waited = view.Took(before, a.StartedAt)
		}
		before = a.EndedAt
		tableRow(w, strconv.Itoa(a.Attempt), string(a.Status), string(a.Class), code, waited, view.Took(a.StartedAt, a.EndedAt),
			oneLine(strings.TrimPrefix(a.Reason+": "+a.Message, ": ")))
	}
	_ = w.Flush()
	if x.Step.Run == "" && x.Retry > 1 {
		fmt.Fprintf(out, "retry.attempts is %d.\n", x.Retry)
	}
}

func printParts(out io.Writer, x *runs.Explanation) error {
	if len(x.Parts) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return printTable(out, x.Parts)
}
