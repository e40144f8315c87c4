package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/record"
)

const runsLong = `Lists runs, the newest first. With a name, shows that run: its steps, how they ended, and its outputs. You can shorten a
name as long as it is unique, and "latest" is the newest run. A run is "lost" if it has no end and nothing drives it any
more: ` + "`pipec rerun`" + ` resumes it.`

func runsCommand(c *cli) *cobra.Command {
	l := runLister{cli: c}
	cmd := &cobra.Command{
		Use:               "runs [RUN]",
		Short:             "List runs, or show one",
		Long:              runsLong,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(l.output); err != nil {
				return err
			}
			return c.withRecords(cmd.Context(), func(r *records.Records) error {
				if len(args) == 1 {
					return l.show(cmd.Context(), r, args[0])
				}
				return l.list(cmd.Context(), r)
			})
		},
	}
	cmd.Flags().StringVarP(&l.output, "output", "o", "text", "text or json")
	cmd.Flags().StringVar(&l.pipeline, "pipeline", "", "list runs of this pipeline only")
	cmd.Flags().IntVarP(&l.limit, "limit", "n", 20, "the number of runs to list; 0: all")
	return cmd
}

// runLister lists runs and shows one.
type runLister struct {
	*cli
	output, pipeline string
	limit            int
}

func (l *runLister) list(ctx context.Context, r *records.Records) error {
	w := tabwriter.NewWriter(l.stdout, 0, 4, 3, ' ', 0)
	enc := json.NewEncoder(l.stdout)
	n := 0
	err := r.List(ctx, l.pipeline, func(s runs.Summary) (bool, error) {
		if l.limit > 0 && n == l.limit {
			fmt.Fprintf(l.stderr, "There are more runs: --limit sets how many are shown.\n")
			return false, nil
		}
		n++
		if l.output == "json" {
			return true, enc.Encode(s)
		}
		if n == 1 {
			fmt.Fprintln(w, "RUN\tPIPELINE\tSTACK\tSTATUS\tSTARTED\tTOOK")
		}
		took := "-"
		if !s.EndedAt.IsZero() {
			took = s.EndedAt.Sub(s.Run.CreatedAt).Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Run.Name, s.Run.Pipeline, s.Run.Stack, s.Status, s.Run.CreatedAt.Local().Format(time.DateTime), took)
		return true, nil
	})
	switch {
	case err != nil:
		return err
	case n > 0 || l.output != "text":
	case l.pipeline != "":
		fmt.Fprintf(l.stderr, "There are no runs of pipeline %s.\n", l.pipeline)
	default:
		fmt.Fprintln(l.stderr, "There are no runs yet: `pipec run` starts one.")
	}
	return fault.Env(w.Flush())
}

func (l *runLister) show(ctx context.Context, r *records.Records, name string) error {
	d, err := r.Show(ctx, l.pipeline, name)
	if err != nil {
		return err
	}
	if l.output == "json" {
		enc := json.NewEncoder(l.stdout)
		enc.SetIndent("", "  ")
		return fault.Env(enc.Encode(d))
	}
	if err := printRun(l.stdout, d); err != nil {
		return fault.Env(err)
	}
	return fault.Env(printSteps(l.stdout, d))
}

// importText is what an artifact is that a run was started with.
func importText(i *record.Import) string {
	if i.Empty() {
		return i.Type + ", not imported,"
	}
	return view.Content(&i.Datum)
}

// printRun prints what a run was started with, and its status.
func printRun(out io.Writer, d *runs.Detail) error {
	w := tabwriter.NewWriter(out, 0, 4, 3, ' ', 0)
	fmt.Fprintf(w, "run\t%s\n", d.Run.Name)
	fmt.Fprintf(w, "pipeline\t%s\n", d.Run.Pipeline)
	fmt.Fprintf(w, "stack\t%s\n", d.Run.Stack)
	fmt.Fprintf(w, "status\t%s\n", d.Status)
	fmt.Fprintf(w, "started\t%s\n", d.Run.CreatedAt.Local().Format(time.DateTime))
	if d.End != nil {
		fmt.Fprintf(w, "took\t%s\n", d.End.At.Sub(d.Run.CreatedAt).Round(time.Millisecond))
		if d.End.Message != "" {
			fmt.Fprintf(w, "message\t%s\n", d.End.Message)
		}
	}
	if d.Run.RerunOf != "" {
		fmt.Fprintf(w, "rerun of\t%s\n", d.Run.RerunOf)
	}
	for _, name := range sortedKeys(d.Run.Params) {
		fmt.Fprintf(w, "param %s\t%s\n", name, d.Run.Params[name])
	}
	for i := range d.Run.Imports {
		one := &d.Run.Imports[i]
		fmt.Fprintf(w, "param %s\t%s from %s\n", one.Name, importText(one), strings.TrimPrefix(one.Source, record.FromFile))
	}
	for i := range d.Run.LastSuccess {
		l := &d.Run.LastSuccess[i]
		fmt.Fprintf(w, "last %s/%s\tof run %s\n", l.Pipeline, l.Datum.Name, l.Run)
	}
	return w.Flush()
}

// printSteps prints the steps of a run, and its outputs.
func printSteps(out io.Writer, d *runs.Detail) error {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 4, 3, ' ', 0)
	fmt.Fprintln(w, "STEP\tSTATUS\tATTEMPTS\tTOOK\tREASON")
	for _, s := range byStart(d.Steps) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Name, statusText(s), attemptsText(s), tookText(s), reasonText(s))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if d.End == nil {
		return nil
	}
	for i := range d.End.Outputs {
		if _, err := fmt.Fprintln(out, view.Datum(&d.End.Outputs[i])); err != nil {
			return err
		}
	}
	return nil
}

// byStart sorts steps by when they started; those that did not come last.
func byStart(steps []record.StepEnd) []*record.StepEnd {
	out := make([]*record.StepEnd, len(steps))
	for i := range steps {
		out[i] = &steps[i]
	}
	slices.SortStableFunc(out, func(a, b *record.StepEnd) int {
		if a.StartedAt.IsZero() != b.StartedAt.IsZero() {
			if a.StartedAt.IsZero() {
				return 1
			}
			return -1
		}
		return a.StartedAt.Compare(b.StartedAt)
	})
	return out
}

func statusText(s *record.StepEnd) string {
	switch {
	case s.Cached:
		return "cached"
	case s.Kept:
		return string(s.Status) + " (kept)"
	}
	return string(s.Status)
}

func attemptsText(s *record.StepEnd) string {
	if s.Attempts == 0 {
		return "-"
	}
	return fmt.Sprint(s.Attempts)
}

func tookText(s *record.StepEnd) string {
	if s.StartedAt.IsZero() || s.EndedAt.IsZero() {
		return "-"
	}
	return s.EndedAt.Sub(s.StartedAt).Round(time.Millisecond).String()
}

func reasonText(s *record.StepEnd) string {
	switch {
	case s.Ask != nil && !s.Status.Ended():
		return "waiting for approval: " + oneLine(s.Ask.Message)
	case s.Reason == "" && s.Message == "":
		return "-"
	case s.Message == "":
		return s.Reason
	case s.Reason == "":
		return oneLine(s.Message)
	}
	return s.Reason + ": " + oneLine(s.Message)
}
