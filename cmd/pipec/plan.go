package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/runtime/kube"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
)

const planLong = `Shows what apply would change on the cluster of the stack, field by field, and changes nothing: the API server
makes a dry run of each object. + is created, ~ changed, - deleted, = stays because a run needs it. Without a name it is
for all pipelines of the project, and what the project no longer has is deleted; with names, for those alone. Where steps
are cached it asks the store too, and says what a run would find there now.

With --out the plan is kept in a file, and ` + "`pipec apply --plan FILE`" + ` does exactly that, or refuses where the cluster has
moved since. --offline asks no cluster.

Exit status 3 where another manager has set a field that pipec would set; with --detailed-exitcode, 2 where there are
changes.`

// exitChanges is the status of plan --detailed-exitcode where there are changes.
const exitChanges = 2

type planFlags struct {
	reportFlags
	offline, json, detailed, force bool
	out                            string
}

func (a *app) planCommand() *cobra.Command {
	var o planFlags
	cmd := &cobra.Command{
		Use:               "plan [PIPELINE]...",
		Short:             "Show what apply would change on the cluster",
		Long:              planLong,
		ValidArgsFunction: a.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.plan(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.offline, "offline", false, "ask no cluster: show what would be applied")
	f.StringVar(&o.out, "out", "", "keep the plan in `FILE`, for apply --plan")
	f.BoolVar(&o.json, "json", false, "as JSON")
	f.BoolVar(&o.detailed, "detailed-exitcode", false, "exit status 2 where there are changes")
	f.BoolVar(&o.force, "force-conflicts", false, "take over fields that other managers have set")
	o.reportFlags.add(cmd)
	return cmd
}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.full, "full", false, "show the fields of what is new, what is unchanged, and long values whole")
	cmd.Flags().IntVar(&f.context, "context", 0, "show `N` unchanged fields around each that changes")
}

func (a *app) plan(ctx context.Context, args []string, o planFlags) error {
	show, err := o.options(a)
	if err != nil {
		return err
	}
	if o.offline && (o.out != "" || o.detailed || o.force) {
		return usage("--offline compares nothing: --out, --detailed-exitcode and --force-conflicts have no meaning with it")
	}
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	stack, err := clusterStack(r, "plan")
	if err != nil {
		return err
	}
	var c *connect.Cluster
	if !o.offline {
		if c, err = connect.Open(ctx, stack.Orchestrator, a.env); err != nil {
			return world(err)
		}
	}
	w, err := a.want(ctx, r, stack, args, wantOptions{cluster: c})
	if err != nil {
		return err
	}
	w.options.Force = o.force
	if o.offline {
		changes, err := cluster.Offline(w.options)
		if err != nil {
			return world(err)
		}
		w.report.Changes = *changes
		w.report.Count()
		return a.showReport(&w.report, show, o.json)
	}
	if err := w.compare(ctx); err != nil {
		return err
	}
	a.foresee(ctx, w)
	if err := a.showReport(&w.report, show, o.json); err != nil {
		return err
	}
	return a.endPlan(w, o)
}

// foresee adds what a run would do now to the report. It needs the store: where that can't be asked, that is noted.
func (a *app) foresee(ctx context.Context, w *wanted) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var s runs.Store
	for i, p := range w.programs {
		if !slices.ContainsFunc(p.All(), func(s *program.Step) bool { return s.Cache != nil }) {
			continue
		}
		var err error
		if s == nil {
			s, err = runs.OpenStore(a.dir, w.stack.ArtifactStore)
		}
		var run *kube.Forecast
		if err == nil {
			run, err = kube.Foresee(ctx, s, p)
		}
		if err != nil {
			w.note("what a run would find in the cache is not known: %v", err)
			break
		}
		if run != nil {
			w.report.Pipelines[i].Run = &report.Run{Cached: run.Cached, Run: run.Run}
		}
	}
	if s != nil {
		_ = s.Close()
	}
}

// endPlan keeps the plan, and gives the command its status.
func (a *app) endPlan(w *wanted, o planFlags) error {
	if found := w.report.Conflicts(); len(found) > 0 && !o.force {
		return world(&cluster.ConflictError{Changes: found})
	}
	if o.out != "" {
		if len(w.missing)+len(w.old) > 0 {
			return user(fmt.Errorf("a plan can't be kept before all that it refers to is pushed: pipec push"))
		}
		names := []string{}
		for _, p := range w.programs {
			names = append(names, p.Pipeline)
		}
		err := cluster.Save(o.out, cluster.Saved{Pipec: pipecVersion(), Stack: w.stack.Name, Pipelines: names}, w.options, &w.report.Changes)
		if err != nil {
			return world(fmt.Errorf("the plan can't be kept: %w", err))
		}
		fmt.Fprintf(a.stderr, "The plan is in %s: pipec apply --plan %s\n", o.out, o.out)
	}
	if o.detailed && !w.report.Empty() {
		return said(exitChanges)
	}
	return nil
}

func (a *app) showReport(r *report.Report, o report.Options, asJSON bool) error {
	if !asJSON {
		return world(report.Text(a.stdout, r, o))
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return world(enc.Encode(r))
}
