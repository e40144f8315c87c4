package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/record"
)

const runsLong = `Lists the runs, the newest first; with a name, shows that run: its steps, how they ended, its outputs. A name
may be cut short, and "latest" is the newest. "lost" is a run that has no end and that nobody drives any more: rerun
goes on with it.`

func (a *app) runsCommand() *cobra.Command {
	var output, pipeline string
	var limit int
	cmd := &cobra.Command{
		Use:               "runs [RUN]",
		Short:             "List runs, or show one",
		Long:              runsLong,
		Args:              atMost(1),
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(output); err != nil {
				return err
			}
			return a.withReader(func(reader *runs.Reader) error {
				if len(args) == 1 {
					return a.showRun(cmd.Context(), reader, pipeline, args[0], output)
				}
				return a.listRuns(cmd.Context(), reader, pipeline, limit, output)
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	cmd.Flags().StringVar(&pipeline, "pipeline", "", "runs of this pipeline alone")
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "how many at most; 0: all")
	return cmd
}

func (a *app) listRuns(ctx context.Context, reader *runs.Reader, pipeline string, limit int, output string) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
	enc := json.NewEncoder(a.stdout)
	n := 0
	for s, err := range reader.List(ctx, pipeline) {
		if err != nil {
			return world(err)
		}
		if limit > 0 && n == limit {
			fmt.Fprintf(a.stderr, "There are more: --limit says how many are shown.\n")
			break
		}
		n++
		if output == "json" {
			if err := enc.Encode(s); err != nil {
				return world(err)
			}
			continue
		}
		if n == 1 {
			fmt.Fprintln(w, "RUN\tPIPELINE\tSTACK\tSTATUS\tSTARTED\tTOOK")
		}
		took := "-"
		if !s.EndedAt.IsZero() {
			took = s.EndedAt.Sub(s.Run.CreatedAt).Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Run.Name, s.Run.Pipeline, s.Run.Stack, s.Status, s.Run.CreatedAt.Local().Format(time.DateTime), took)
	}
	switch {
	case n > 0 || output != "text":
	case pipeline != "":
		fmt.Fprintf(a.stderr, "There are no runs of pipeline %s.\n", pipeline)
	default:
		fmt.Fprintln(a.stderr, "There are no runs yet: `pipec run` starts one.")
	}
	return world(w.Flush())
}

func (a *app) showRun(ctx context.Context, reader *runs.Reader, pipeline, name, output string) error {
	run, err := resolve(ctx, reader, pipeline, name)
	if err != nil {
		return err
	}
	d, err := reader.Show(ctx, run)
	if err != nil {
		return world(err)
	}
	if output == "json" {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return world(enc.Encode(d))
	}
	return world(a.showDetail(d))
}

// importText is what an artifact is that a run was started with.
func importText(i *record.Import) string {
	if i.Empty() {
		return i.Type + ", not imported,"
	}
	return view.Content(&i.Datum)
}

func (a *app) showDetail(d *runs.Detail) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
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
	for i := range d.Run.Last {
		l := &d.Run.Last[i]
		fmt.Fprintf(w, "last %s/%s\tof run %s\n", l.Pipeline, l.Datum.Name, l.Run)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	w = tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
	fmt.Fprintln(w, "STEP\tSTATUS\tATTEMPTS\tTOOK\tREASON")
	for _, s := range byStart(d.Steps) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Name, statusText(s), attemptsText(s), tookText(s), reasonText(s))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return a.showOutputs(d.End)
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
