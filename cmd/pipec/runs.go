package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/record"
)

const runsLong = `Lists runs, the newest first. With a name, shows that run: its steps, how they ended and why, and its outputs. You can
shorten a name as long as it is unique, and "latest" is the newest run. A run is "lost" if it has no end and nothing drives it
any more: ` + "`pipec rerun`" + ` resumes it.

--columns adds columns to the list: param.NAME, output.NAME, rerun_of, scheduled_at, schedule, reason or message. A list that begins with
run replaces all columns.`

const runsExamples = `  # The runs of a pipeline, with a param and the accuracy of each
  pipec runs --pipeline train --columns param.learning_rate,output.accuracy

  # The failed runs of the last day, and what is known about the newest run
  pipec runs --status failed,timed_out --since 24h
  pipec runs latest -o yaml

  # The names of all runs that are running
  pipec runs --status running --limit 0 -o name`

func runsCommand(c *cli) *cobra.Command {
	l := runLister{cli: c}
	cmd := &cobra.Command{
		Use:               "runs [RUN]",
		Short:             "List, show and delete runs",
		Long:              runsLong,
		Example:           runsExamples,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := l.out.check(); err != nil {
				return err
			}
			columns, err := l.columns()
			if err != nil {
				return err
			}
			s, err := l.selection()
			if err != nil {
				return err
			}
			return c.withRecords(cmd.Context(), func(r *records.Records) error {
				switch {
				case len(args) == 1 && l.watch:
					return usage("--watch lists runs; `pipec logs --follow %s` follows one", args[0])
				case len(args) == 1:
					return l.show(cmd.Context(), r, args[0])
				case l.watch:
					return l.watchList(cmd.Context(), r, s, columns)
				}
				return l.list(cmd.Context(), r, s, columns)
			})
		},
	}
	l.out.add(cmd, listOutput)
	cmd.PersistentFlags().StringVar(&l.pipeline, "pipeline", "", "only runs of this pipeline")
	l.statusFlag(cmd)
	cmd.Flags().Var(&l.since, "since", "list runs that were started within an `AGE`, such as 30d or 12h")
	cmd.Flags().StringSliceVar(&l.extra, "columns", nil, "add `COLUMNS` to the list, separated by commas, such as param.NAME and output.NAME")
	cmd.Flags().IntVarP(&l.limit, "limit", "n", 20, "the number of runs to list; 0: all")
	cmd.Flags().BoolVarP(&l.watch, "watch", "w", false, "after the list, print runs that are new or have changed, until Ctrl-C")
	cmd.AddCommand(l.deleteCommand())
	return cmd
}

// runLister lists, shows and deletes runs.
type runLister struct {
	*cli
	out      outputFlag
	pipeline string
	statuses []string
	since    ageFlag
	extra    []string // of --columns
	limit    int
	watch    bool
}

// runStatuses are the statuses that a run can have.
var runStatuses = []string{"running", "succeeded", "failed", "cancelled", "timed_out", "lost"}

func (l *runLister) statusFlag(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&l.statuses, "status", nil, "only runs with one of these statuses: "+strings.Join(runStatuses, ", "))
	_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(runStatuses, cobra.ShellCompDirectiveNoFileComp))
}

// selection returns the runs that the flags select.
func (l *runLister) selection() (*records.Selection, error) {
	s := &records.Selection{Pipeline: l.pipeline, Limit: l.limit}
	for _, status := range l.statuses {
		if !slices.Contains(runStatuses, status) {
			near := ""
			if n := diag.Suggest(status, runStatuses); n != "" {
				near = "; did you mean " + n + "?"
			}
			return nil, usage("--status: there is no status %q: one of %s%s", status, strings.Join(runStatuses, ", "), near)
		}
		s.Status = append(s.Status, record.Status(status))
	}
	if l.since > 0 {
		s.Since = time.Now().Add(-time.Duration(l.since))
	}
	return s, nil
}

func (l *runLister) list(ctx context.Context, r *records.Records, s *records.Selection, columns []runColumn) error {
	list := []runs.Summary{}
	more, err := r.Select(ctx, s, func(one runs.Summary) error {
		list = append(list, one)
		return nil
	})
	if err != nil {
		return err
	}
	if more {
		defer fmt.Fprintf(l.stderr, "There are more runs: --limit sets how many are shown.\n")
	}
	if len(list) == 0 && l.out.text() {
		l.none(s)
		return nil
	}
	return l.print(list, columns, true)
}

// none reports that the list is empty.
func (l *runLister) none(s *records.Selection) {
	switch {
	case len(s.Status) > 0 || !s.Since.IsZero():
		fmt.Fprintln(l.stderr, "No run matches.")
	case l.pipeline != "":
		fmt.Fprintf(l.stderr, "There are no runs of pipeline %s.\n", l.pipeline)
	default:
		fmt.Fprintln(l.stderr, "There are no runs yet: `pipec run` starts one.")
	}
}

// print prints runs as the flags say.
func (l *runLister) print(list []runs.Summary, columns []runColumn, head bool) error {
	if done, err := l.out.document(l.stdout, list); done {
		return err
	}
	var names, cells []string
	for i := range list {
		names = append(names, list[i].Run.Name)
	}
	if done, err := l.out.names(l.stdout, names); done {
		return err
	}
	w := table(l.stdout)
	if head {
		for _, c := range columns {
			cells = append(cells, c.head)
		}
		tableRow(w, cells...)
	}
	for i := range list {
		cells = cells[:0]
		for _, c := range columns {
			cells = append(cells, c.cell(&list[i]))
		}
		tableRow(w, cells...)
	}
	return fault.Env(w.Flush())
}

func (l *runLister) show(ctx context.Context, r *records.Records, name string) error {
	d, err := r.Show(ctx, l.pipeline, name)
	if err != nil {
		return err
	}
	if done, err := l.out.document(l.stdout, d); done {
		return err
	}
	if done, err := l.out.names(l.stdout, []string{d.Run.Name}); done {
		return err
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
		if first := view.FirstFailure(d.End, d.Run.CreatedAt); first != "" {
			fmt.Fprintf(w, "first failure\t%s\n", first)
		}
	}
	if d.Run.Schedule != "" {
		fmt.Fprintf(w, "schedule\t%s\n", d.Run.Schedule)
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
	if err := printTable(out, d.Steps); err != nil {
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

// printTable prints steps as a table.
func printTable(out io.Writer, steps []record.StepEnd) error {
	w := table(out)
	fmt.Fprintln(w, "STEP\tSTATUS\tATTEMPTS\tTOOK\tWHY")
	for _, s := range byStart(steps) {
		tableRow(w, s.Name, statusText(s), attemptsText(s), tookText(s), view.Why(s))
	}
	return w.Flush()
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
	n := max(s.Attempts, s.Calls)
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func tookText(s *record.StepEnd) string {
	if s.StartedAt.IsZero() || s.EndedAt.IsZero() {
		return "-"
	}
	return s.EndedAt.Sub(s.StartedAt).Round(time.Millisecond).String()
}
