package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/kube"
)

const applyLong = `Applies the definitions of the pipelines to the cluster of the stack: missing objects are created, objects that
differ are changed, and objects that the project no longer declares are deleted. Active runs continue with the
definition that they were started with, and the objects that they need are kept. Applying again changes nothing.
If you name pipelines, only those are applied and nothing is deleted.

First the artifact store is read: if its bucket is missing or it rejects the credentials, nothing is pushed or applied.
The command prints the plan and asks for confirmation. Without a terminal it needs --yes, or --plan with the file
of a saved plan. Images and code that the definitions refer to are pushed first. A definition starts no runs unless
it has a schedule.`

// applier applies definitions.
type applier struct {
	*cli
	reportFlags
	yes, force, run bool
	plan            string
}

func applyCommand(c *cli) *cobra.Command {
	a := applier{cli: c}
	cmd := &cobra.Command{
		Use:   "apply [PIPELINE]...",
		Short: "Apply the pipelines to the cluster",
		Long:  applyLong,
		Example: `  pipec apply --stack prod
  pipec apply train --yes --run
  pipec apply --plan plan.json`,
		ValidArgsFunction: c.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.apply(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.BoolVarP(&a.yes, "yes", "y", false, "do not ask for confirmation")
	f.StringVar(&a.plan, "plan", "", "apply the saved plan in `FILE`; fail if the cluster has changed since")
	f.BoolVar(&a.force, "force-conflicts", false, "take over fields that other managers have set")
	f.BoolVar(&a.run, "run", false, "start a run when the definitions are applied")
	a.reportFlags.add(cmd)
	return cmd
}

func (a *applier) apply(ctx context.Context, pipelines []string) error {
	if err := a.reportFlags.check(); err != nil {
		return err
	}
	if !a.yes && a.plan == "" && !a.canAsk() {
		if err := a.open().Definitions().Applicable("apply"); err != nil {
			return err
		}
		return usage("apply asks before it changes anything, and there is no terminal to ask on: give --yes, or --plan FILE")
	}
	if a.plan != "" && (len(pipelines) > 0 || a.force) {
		return usage("--plan takes neither pipelines nor --force-conflicts: the saved plan has them")
	}
	pending, err := a.prepare(ctx, pipelines)
	if err != nil {
		return err
	}
	if err := a.print(a.cli, &pending.Report, nil); err != nil {
		return err
	}
	if a.plan == "" {
		if err := pending.Conflicts(); err != nil {
			return err
		}
		if !a.yes && !pending.Report.Empty() {
			if err := a.confirm("Apply these changes?"); err != nil {
				return err
			}
		}
	}
	if a.plan != "" || !pending.Report.Empty() {
		if err := carryOut(ctx, pending); err != nil {
			return err
		}
	}
	return a.applied(ctx, pending, pipelines)
}

// prepare plans the change, or reads the saved plan.
func (a *applier) prepare(ctx context.Context, pipelines []string) (*definitions.Pending, error) {
	d := a.openWith(a.dir, &progress{terminal: a.terminal, changes: a.stdout}).Definitions()
	ctx, stop := interruptible(ctx)
	defer stop()
	if a.plan != "" {
		return d.LoadPlan(ctx, a.plan)
	}
	return d.Prepare(ctx, definitions.ApplyRequest{Pipelines: pipelines, Force: a.force, One: a.run})
}

// carryOut makes a planned change, until Ctrl-C.
func carryOut(ctx context.Context, pending *definitions.Pending) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	return pending.Apply(ctx)
}

// applied prints what was done and how runs are started, and starts one with --run.
func (a *applier) applied(ctx context.Context, p *definitions.Pending, pipelines []string) error {
	if s := p.Report.Summary; s.Create+s.Change+s.Delete > 0 {
		if _, err := fmt.Fprintf(a.stdout, "Applied: %d created, %d changed, %d deleted.\n", s.Create, s.Change, s.Delete); err != nil {
			return fault.Env(err)
		}
	}
	if a.run {
		if a.plan != "" {
			pipelines = p.Pipelines()
		}
		s := runStarter{cli: a.cli}
		return s.run(ctx, first(pipelines))
	}
	for _, one := range p.Programs {
		if !one.Starts() {
			fmt.Fprintf(a.stderr, "To start %s: pipec run %s, or kubectl create job -n %s --from=cronjob/%s NAME\n",
				one.Pipeline, one.Pipeline, p.Stack.Orchestrator.Namespace, kube.CronJobName(one.Pipeline))
		}
	}
	return nil
}
