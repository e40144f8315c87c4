package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

const applyLong = `Brings the definitions of the pipelines to the cluster of the stack: what is missing is created, what differs is
changed, and what the project no longer has is deleted. Runs that are at work go on as they were started, and what they
need stays. Applied again, it changes nothing. With names it is for those pipelines alone, and deletes nothing.

It shows the plan and asks. Where nobody can be asked it needs --yes, or --plan with the file of a plan that was kept.
What the definitions refer to is pushed first. A definition starts nothing by itself, unless it has a schedule.`

type applyFlags struct {
	reportFlags
	yes, force, run bool
	plan            string
}

func (a *app) applyCommand() *cobra.Command {
	var o applyFlags
	cmd := &cobra.Command{
		Use:               "apply [PIPELINE]...",
		Short:             "Bring the pipelines to the cluster",
		Long:              applyLong,
		ValidArgsFunction: a.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.apply(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.StringVar(&o.plan, "plan", "", "do what the plan in `FILE` says, or nothing where the cluster has moved since")
	f.BoolVar(&o.force, "force-conflicts", false, "take over fields that other managers have set")
	f.BoolVar(&o.run, "run", false, "start a run afterwards")
	o.reportFlags.add(cmd)
	return cmd
}

func (a *app) apply(ctx context.Context, args []string, o applyFlags) error {
	show, err := o.options(a)
	if err != nil {
		return err
	}
	if !o.yes && o.plan == "" && !a.canAsk() {
		return usage("apply asks before it changes anything, and here is nobody to ask: give --yes, or --plan FILE")
	}
	if o.plan != "" && (len(args) > 0 || o.force) {
		return usage("the plan says which pipelines it is for, and whether fields are taken over: --plan stands alone")
	}
	if o.plan != "" {
		return a.applySaved(ctx, o, show)
	}
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	stack, err := clusterStack(r, "apply")
	if err != nil {
		return err
	}
	if o.run {
		if _, err := thePipeline(r, args); err != nil {
			return err
		}
	}
	c, err := connect.Open(ctx, stack.Orchestrator, a.env)
	if err != nil {
		return world(err)
	}
	w, err := a.want(ctx, r, stack, args, wantOptions{cluster: c, push: true})
	if err != nil {
		return err
	}
	w.options.Force = o.force
	if err := w.compare(ctx); err != nil {
		return err
	}
	if err := a.showReport(&w.report, show, false); err != nil {
		return err
	}
	if found := w.report.Conflicts(); len(found) > 0 && !o.force {
		return world(&cluster.ConflictError{Changes: found})
	}
	if !w.report.Empty() {
		if !o.yes {
			if yes, err := a.confirm("Apply this?"); err != nil || !yes {
				return refusal(err)
			}
		}
		if err := a.carryOut(ctx, a.stdout, w.options, &w.report.Changes); err != nil {
			return err
		}
	}
	return a.applied(ctx, w.report.Summary, stack, w.programs, args, o.run)
}

// refusal is the status where a person said no.
func refusal(err error) error {
	if err != nil {
		return err
	}
	return said(exitUser)
}

// applySaved does what a kept plan says.
func (a *app) applySaved(ctx context.Context, o applyFlags, show report.Options) error {
	saved, err := cluster.LoadSaved(o.plan)
	if errors.Is(err, fs.ErrNotExist) {
		return usage("there is no plan %s", o.plan)
	}
	if err != nil {
		return planFault(err)
	}
	r, err := a.compileStack()
	if err != nil {
		return err
	}
	stack, err := clusterStack(r, "apply")
	if err != nil {
		return err
	}
	c, err := connect.Open(ctx, stack.Orchestrator, a.env)
	if err != nil {
		return world(err)
	}
	options, err := saved.Options(o.plan, pipecVersion(), stack.Name, cluster.Options{Cluster: c})
	if err != nil {
		return planFault(err)
	}
	changes, err := saved.Replan(ctx, options)
	if err != nil {
		return world(err)
	}
	shown := report.Report{Stack: stack.Name, Context: c.Context, Host: c.Host, Namespace: c.Namespace, Project: saved.Project, Changes: *changes}
	shown.Count()
	if err := a.showReport(&shown, show, false); err != nil {
		return err
	}
	if err := a.carryOut(ctx, a.stdout, options, changes); err != nil {
		return err
	}
	programs := programsNamed(r, saved.Pipelines)
	return a.applied(ctx, shown.Summary, stack, programs, saved.Pipelines, o.run)
}

// planFault gives an error of a plan's file its status: the file is the user's.
func planFault(err error) error {
	var fault *cluster.PlanFileError
	if errors.As(err, &fault) {
		return user(err)
	}
	return world(err)
}

// programsNamed are those of the source that still have these names.
func programsNamed(r *compiler.Result, names []string) []*program.Program {
	var out []*program.Program
	for _, name := range names {
		if p := r.Program(name); p != nil {
			out = append(out, p)
		}
	}
	return out
}

// applied tells what was done and how runs are started, and starts one where that was asked for.
func (a *app) applied(ctx context.Context, s report.Summary, stack *program.Stack, programs []*program.Program, args []string, run bool) error {
	if s.Create+s.Change+s.Delete > 0 {
		if _, err := fmt.Fprintf(a.stdout, "Applied: %d created, %d changed, %d deleted.\n", s.Create, s.Change, s.Delete); err != nil {
			return world(err)
		}
	}
	if run {
		return a.run(ctx, args, runOptions{})
	}
	for _, p := range programs {
		if p.Schedule == nil || p.Schedule.Suspend {
			fmt.Fprintf(a.stderr, "To start %s: pipec run %s, or kubectl create job -n %s --from=cronjob/%s NAME\n", p.Pipeline, p.Pipeline, stack.Orchestrator.Namespace, kube.CronJobName(p.Pipeline))
		}
	}
	return nil
}
