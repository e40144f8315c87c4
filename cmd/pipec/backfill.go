package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
)

const backfillLong = `Starts the runs that the schedule of a pipeline would have started from one time to another, which both count: after an
outage, or for data of the past. In each run, run.scheduled_at is its time, and the params are those of the schedule unless
others are given.

The runs are started one after the other, oldest first, each when the one before has ended; one that fails does not stop
those after it. With --detach, all runs are started on the cluster at once. A run is named after the pipeline and its time, and
is left out if it exists, so a backfill that was interrupted can be repeated.`

const backfillExample = `  pipec backfill train --from 2026-01-01 --to 2026-01-31 --dry-run
  pipec backfill train --from 2026-01-31T06:00 --to 2026-01-31T18:00 -p rate=0.1`

// backfiller starts the runs of a backfill.
type backfiller struct {
	runStarter
	from, to *time.Time
	dryRun   bool
}

func backfillCommand(c *cli) *cobra.Command {
	b := backfiller{runStarter: runStarter{cli: c}}
	cmd := &cobra.Command{
		Use:               "backfill [PIPELINE]",
		Short:             "Start the runs of a schedule for a range of times",
		Long:              backfillLong,
		Example:           backfillExample,
		Args:              atMost(1),
		ValidArgsFunction: c.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return b.backfill(cmd.Context(), first(args)) },
	}
	f := cmd.Flags()
	f.Var(&timeFlag{&b.from}, "from", "the first `TIME`")
	f.Var(&timeFlag{&b.to}, "to", "the last `TIME` (default: now)")
	f.StringVar(&b.request.Schedule, "schedule", "", "the `NAME` of the schedule, if the pipeline has several")
	f.BoolVar(&b.dryRun, "dry-run", false, "list the runs, and start none")
	b.paramFlags(cmd)
	f.Var(&b.parallel, "parallel", "the number of steps that run at once (default: the stack's, or the number of cores)")
	b.show.flags(cmd)
	f.BoolVarP(&b.request.Detach, "detach", "d", false, "on a cluster: start all runs, print their names, and do not follow them")
	return cmd
}

func (b *backfiller) backfill(ctx context.Context, pipeline string) error {
	if err := b.check(); err != nil {
		return err
	}
	if b.from == nil {
		return usage("--from is required: the first time of the backfill")
	}
	if b.to == nil {
		now := time.Now().UTC()
		b.to = &now
	}
	runner, err := b.open().Runner()
	if err != nil {
		return err
	}
	fill, err := runner.Backfill(pipeline, b.request.Schedule, *b.from, *b.to)
	if err != nil {
		return err
	}
	exists, err := b.existing(ctx, runner.Records, fill)
	if err != nil || b.dryRun {
		return errors.Join(err, b.list(fill, exists))
	}
	var failed error
	for _, at := range fill.Times {
		name := fill.RunName(at)
		if exists[name] {
			fmt.Fprintf(b.stderr, "Run %s exists and is left out.\n", name)
			continue
		}
		r := b.request
		r.Schedule = fill.Schedule
		r.Pipeline, r.Name, r.ScheduledAt, r.Parallel, r.Follow = fill.Program.Pipeline, name, &at, int(b.parallel), !b.request.Detach
		fmt.Fprintf(b.stderr, "Run %s is for %s.\n", name, at.Format(time.RFC3339))
		err := b.follow(runner, &r, func() (*orchestrator.Outcome, error) { return runner.Start(ctx, &r) })
		switch {
		case err == nil:
		case exitStatus(err) != exitUser: // the environment, or an interrupt
			return err
		default:
			b.report(err)
			failed = silent(exitUser)
		}
	}
	return failed
}

// existing returns the names of the backfill's runs that exist.
func (b *backfiller) existing(ctx context.Context, open func(context.Context) (*records.Records, error), fill *orchestrator.Backfill) (map[string]bool, error) {
	r, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	wanted := map[string]bool{}
	for _, at := range fill.Times {
		wanted[fill.RunName(at)] = true
	}
	out := map[string]bool{}
	err = r.List(ctx, fill.Program.Pipeline, func(s runs.Summary) (bool, error) {
		if wanted[s.Run.Name] {
			out[s.Run.Name] = true
		}
		return len(out) < len(wanted), nil
	})
	return out, err
}

// list prints the runs of a backfill.
func (b *backfiller) list(fill *orchestrator.Backfill, exists map[string]bool) error {
	type row struct {
		Run         string    `json:"run"`
		ScheduledAt time.Time `json:"scheduled_at"`
		Exists      bool      `json:"exists"`
	}
	rows := []row{}
	for _, at := range fill.Times {
		name := fill.RunName(at)
		rows = append(rows, row{name, at, exists[name]})
	}
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].Run
	}
	if done, err := b.show.out.document(b.stdout, rows); done {
		return err
	}
	if done, err := b.show.out.names(b.stdout, names); done {
		return err
	}
	for _, r := range rows {
		note := ""
		if r.Exists {
			note = "  (exists)"
		}
		fmt.Fprintf(b.stdout, "%s  %s%s\n", r.ScheduledAt.Format(time.RFC3339), r.Run, note)
	}
	return nil
}
