package main

import (
	"context"
	"errors"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

const runLong = `Starts a run and follows it to its end. On a terminal the steps are shown as a tree that moves; elsewhere
each line that a step writes is a line "step | text".

Ctrl-C cancels the run: steps get SIGTERM, then, after their grace, SIGKILL; a second Ctrl-C kills at once.

On a cluster, the pipeline's definition is applied first where it is missing or old; then the run is followed where the
stack is synchronous or --follow is given, and otherwise named. A second Ctrl-C leaves the run to its end; --detach
starts it without following, and ` + "`pipec logs --follow`" + ` follows at any time, without cancelling on Ctrl-C.

Exit status 1 where the run did not succeed, 130 where it was interrupted.`

// runOptions are the flags of run, and of rerun where it has them.
type runOptions struct {
	params   []string
	only     []string
	name     string
	parallel parallelFlag
	follow   bool // on a cluster, also where the stack isn't synchronous
	detach   bool // on a cluster, don't follow
	show     showOptions
}

// waitFlags are --follow and --detach.
func (o *runOptions) waitFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "on a cluster: follow the run to its end, though the stack isn't synchronous")
	cmd.Flags().BoolVarP(&o.detach, "detach", "d", false, "on a cluster: start the run, name it, and don't follow")
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

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:               "run [PIPELINE]",
		Short:             "Start a run and follow it",
		Long:              runLong,
		Args:              atMost(1),
		ValidArgsFunction: a.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.params, "param", "p", nil, "a param's value: `NAME=VALUE`, NAME=@FILE or NAME=run:RUN/STEP/OUTPUT; an artifact is also NAME=s3://BUCKET/KEY; may be repeated")
	f.StringArrayVar(&o.only, "step", nil, "run this step and what it needs, and no other; may be repeated")
	f.StringVar(&o.name, "name", "", "the run's name; without it, one is made")
	o.show.flags(cmd)
	o.waitFlags(cmd)
	f.Var(&o.parallel, "parallel", "how many steps run at once (default: the stack's, or the machine's cores)")
	return cmd
}

func (a *app) run(ctx context.Context, args []string, o runOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	p, err := thePipeline(r, args)
	if err != nil {
		return err
	}
	stack, err := theStack(r)
	if err != nil {
		return err
	}
	if onCluster(stack) {
		return a.runRemote(ctx, r, p, stack, o)
	}
	if err := o.onlyCluster(); err != nil {
		return err
	}
	lo, err := a.localOptions(r, p)
	if err != nil {
		return err
	}
	if lo.Params, err = params(p, o.params, a.datumOfRun(ctx, r)); err != nil {
		return err
	}
	lo.Name, lo.Only, lo.Parallel = o.name, o.only, int(o.parallel)
	return a.follow(ctx, p, lo, o.show, func(ctx context.Context, lo local.Options) (local.Outcome, error) {
		return local.Run(ctx, lo)
	})
}

// onlyCluster refuses what means nothing on this machine: the run is driven by the command itself.
func (o *runOptions) onlyCluster() error {
	if o.detach {
		return usage("--detach is for stacks on a cluster: a run on this machine is driven by this command")
	}
	return nil
}

func (o *runOptions) check() error {
	if o.name == "latest" {
		return usage("a run can't be named latest: that stands for the newest one")
	}
	return o.show.check()
}

// localOptions are what every command needs that drives runs on this machine.
func (a *app) localOptions(r *compiler.Result, p *program.Program) (local.Options, error) {
	stack, err := theStack(r)
	if err != nil {
		return local.Options{}, err
	}
	if err := onlyLocal(stack); err != nil {
		return local.Options{}, err
	}
	return local.Options{Project: a.dir, Program: p, Stack: stack, Environ: a.env}, nil
}

// follow drives a run under Ctrl-C, shows it, and makes its end the command's.
func (a *app) follow(ctx context.Context, p *program.Program, o local.Options, show showOptions, drive func(context.Context, local.Options) (local.Outcome, error)) error {
	ctx, signals := a.onInterrupt(ctx)
	defer signals.stop()
	v := a.viewer(p, shown{project: o.Project, stack: o.Stack}, show)
	o.Observe, o.Force = v.Event, signals.force
	out, err := drive(ctx, o)
	if closeErr := v.Close(); err == nil && !errors.Is(closeErr, syscall.EPIPE) {
		err = closeErr
	}
	switch {
	case signals.interrupted() && (out.End == nil || out.End.Status != record.Succeeded):
		if err != nil {
			return &failure{exitInterrupted, err}
		}
		return said(exitInterrupted)
	case err != nil:
		return refused(err)
	case out.End == nil || out.End.Status != record.Succeeded:
		return said(exitUser)
	}
	return nil
}

// refused gives what a library refused its exit status.
func refused(err error) error {
	var unknown *rerun.UnknownStepError
	if errors.As(err, &unknown) {
		return usage("%v", err)
	}
	var r *local.Refusal
	if !errors.As(err, &r) {
		return world(err)
	}
	switch r.Code {
	case local.RefusedParam, local.RefusedStep, local.RefusedName:
		return usage("%v", r)
	}
	return user(r)
}

// datumOfRun reads RUN/STEP/OUTPUT, for --param x=run:….
func (a *app) datumOfRun(ctx context.Context, r *compiler.Result) datumOf {
	return func(address string) (*record.Datum, error) { return a.datum(ctx, r, address) }
}
