package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/schema/record"
)

const runLong = `Starts a run and follows it to its end. On a terminal the steps are shown as a tree that moves; elsewhere
each line that a step writes is a line "step | text".

Ctrl-C cancels the run: steps get SIGTERM, then, after their grace, SIGKILL; a second Ctrl-C kills at once.

On a cluster, the pipeline's definition is applied first where it is missing or old; then the run is followed where the
stack is synchronous or --follow is given, and otherwise named. A second Ctrl-C leaves the run to its end; --detach
starts it without following, and ` + "`pipec logs --follow`" + ` follows at any time, without cancelling on Ctrl-C.

Exit status 1 where the run did not succeed, 130 where it was interrupted.`

// runStarter starts runs: the flags of run, and of rerun where it has them.
type runStarter struct {
	*cli
	request  orchestrator.StartRequest
	parallel parallelFlag
	show     showOptions
}

// waitFlags are --follow and --detach.
func (s *runStarter) waitFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&s.request.Follow, "follow", "f", false, "on a cluster: follow the run to its end, though the stack isn't synchronous")
	cmd.Flags().BoolVarP(&s.request.Detach, "detach", "d", false, "on a cluster: start the run, name it, and don't follow")
	cmd.MarkFlagsMutuallyExclusive("follow", "detach")
}

// parallelFlag is --parallel: 0 where it is not given.
type parallelFlag int

func (p *parallelFlag) String() string { return "" }
func (p *parallelFlag) Type() string   { return "int" }
func (p *parallelFlag) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return errors.New("it is a number from 1 on")
	}
	*p = parallelFlag(n)
	return nil
}

func runCommand(c *cli) *cobra.Command {
	s := runStarter{cli: c}
	cmd := &cobra.Command{
		Use:               "run [PIPELINE]",
		Short:             "Start a run and follow it",
		Long:              runLong,
		Args:              atMost(1),
		ValidArgsFunction: c.completePipelines,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Context(), first(args))
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&s.request.Params, "param", "p", nil, "a param's value: `NAME=VALUE`, NAME=@FILE or NAME=run:RUN/STEP/OUTPUT; an artifact is also NAME=s3://BUCKET/KEY; may be repeated")
	f.StringArrayVar(&s.request.Steps, "step", nil, "run this step and what it needs, and no other; may be repeated")
	f.StringVar(&s.request.Name, "name", "", "the run's name; without it, one is made")
	s.show.flags(cmd)
	s.waitFlags(cmd)
	f.Var(&s.parallel, "parallel", "how many steps run at once (default: the stack's, or the machine's cores)")
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
	r.Interrupts, r.Watch, r.NoLines = in, w.watch, s.show.order == "step"
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
		fmt.Fprintln(s.stdout, out.Run)
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
