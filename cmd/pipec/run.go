package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/schema/record"
)

const runLong = `Starts a run and follows it until it has ended. A terminal shows the steps as a tree that is redrawn; elsewhere each line
that a step writes is printed as "step | text". Of a line that a program overwrites, such as a progress bar, the state is
printed at most once a second.

Ctrl-C cancels the run: steps get SIGTERM and, after their grace period, SIGKILL. A second Ctrl-C kills them at once.

On a cluster, the pipeline's definition is applied first if it is missing or outdated. The run is followed if the stack is
synchronous or --follow is given; otherwise its name is printed. A second Ctrl-C leaves the run, which then ends on its
own. --detach starts a run without following it. ` + "`pipec logs --follow`" + ` follows a run at any time, and Ctrl-C there does
not cancel the run.

The exit status is 1 if the run did not succeed, and 130 if it was interrupted.`

// runStarter starts runs: the flags of run, and of rerun where it has them.
type runStarter struct {
	*cli
	request  orchestrator.StartRequest
	parallel parallelFlag
	show     showOptions
}

// paramFlags are --param and --params.
func (s *runStarter) paramFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.request.Params, "param", "p", nil, "set a param: `NAME=VALUE`, NAME=@FILE or NAME=run:RUN/STEP/OUTPUT, or for an artifact also NAME=s3://BUCKET/KEY; may be repeated")
	f.StringArrayVar(&s.request.ParamFiles, "params", nil, "read params from a `FILE` of JSON, YAML or HCL, which --param overrides; may be repeated")
}

// waitFlags are --follow and --detach.
func (s *runStarter) waitFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&s.request.Follow, "follow", "f", false, "on a cluster: follow the run even if the stack is not synchronous")
	cmd.Flags().BoolVarP(&s.request.Detach, "detach", "d", false, "on a cluster: start the run, print its name, and do not follow it")
	cmd.MarkFlagsMutuallyExclusive("follow", "detach")
}

// parallelFlag is --parallel: 0 where it is not given.
type parallelFlag int

func (p *parallelFlag) String() string { return "" }
func (p *parallelFlag) Type() string   { return "int" }
func (p *parallelFlag) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return errors.New("it must be 1 or more")
	}
	*p = parallelFlag(n)
	return nil
}

// timeFlag is a moment: with a time zone, else in UTC.
type timeFlag struct{ to **time.Time }

func (f *timeFlag) String() string { return "" }
func (f *timeFlag) Type() string   { return "time" }
func (f *timeFlag) Set(s string) error {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			at = at.UTC()
			*f.to = &at
			return nil
		}
	}
	return errors.New("expected a time such as 2026-01-31, 2026-01-31T06:00 or 2026-01-31T06:00:00+01:00")
}

func runCommand(c *cli) *cobra.Command {
	s := runStarter{cli: c}
	cmd := &cobra.Command{
		Use:   "run [PIPELINE]",
		Short: "Start a run and follow it",
		Long:  runLong,
		Example: `  pipec run
  pipec run train -p epochs=10 -p data=@data.csv
  pipec run train --params prod.yaml --stack prod --follow
  pipec run train --step evaluate --step call.report
  pipec run train --scheduled-at 2026-01-31T06:00`,
		Args:              atMost(1),
		ValidArgsFunction: c.completePipelines,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Context(), first(args))
		},
	}
	f := cmd.Flags()
	s.paramFlags(cmd)
	f.StringArrayVar(&s.request.Steps, "step", nil, "run only this `STEP` and the steps that it needs; takes addresses such as call.train and train[0]; may be repeated")
	f.Var(&timeFlag{&s.request.ScheduledAt}, "scheduled-at", "run as if the schedule had started the run at this `TIME`, which run.scheduled_at then has")
	f.StringVar(&s.request.Schedule, "schedule", "", "run with the params of the schedule with this `NAME`")
	f.StringVar(&s.request.Name, "name", "", "the name of the run (default: a generated name)")
	s.show.flags(cmd)
	s.waitFlags(cmd)
	f.Var(&s.parallel, "parallel", "the number of steps that run at once (default: the stack's, or the number of cores)")
	return cmd
}

func (s *runStarter) run(ctx context.Context, pipeline string) error {
	if err := s.check(); err != nil {
		return err
	}
	runs, err := s.open().Runner()
	if err != nil {
		return err
	}
	s.request.Pipeline, s.request.Parallel = pipeline, int(s.parallel)
	return s.follow(runs, &s.request, func() (*orchestrator.Outcome, error) { return runs.Start(ctx, &s.request) })
}

func (s *runStarter) check() error {
	if err := s.request.Check(); err != nil {
		return err
	}
	return s.show.check()
}

// follow starts a run under Ctrl-C, shows it, and makes its end the command's.
func (s *runStarter) follow(runs *app.Runs, r *orchestrator.StartRequest, start func() (*orchestrator.Outcome, error)) error {
	in, stop := onSignals()
	defer stop()
	w := &watcher{cli: s.cli, show: s.show, runs: runs}
	r.Interrupts, r.Watch, r.NoLines = in, w.watch, s.show.order == "step" || s.show.out.format == outName
	out, err := start()
	closeErr := w.close()
	stop()
	var f *fault.Fault
	switch {
	case errors.As(err, &f) && f.Kind == fault.Interrupted && out != nil && out.Run != "" && runs.Detached:
		return f.WithHint("`pipec logs --follow %s%s` follows it.", out.Run, s.sharedFlags())
	case err != nil:
		return err
	case !out.Followed:
		if err := s.started(out.Run); err != nil {
			return err
		}
		fmt.Fprintf(s.stderr, "Run %s was started; `pipec logs --follow %s%s` follows it.\n", out.Run, out.Run, s.sharedFlags())
		return nil
	case closeErr != nil:
		return closeErr
	case out.End != nil && out.End.Status == record.Succeeded:
		return nil
	case out.Interrupted:
		return silent(exitInterrupted)
	}
	return silent(exitUser)
}

// started prints the run that was started and is not followed.
func (s *runStarter) started(run string) error {
	one := struct {
		Run string `json:"run"`
	}{run}
	if done, err := s.show.out.document(s.stdout, one); done {
		return err
	}
	_, err := fmt.Fprintln(s.stdout, run)
	return fault.Env(err)
}
