package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/cluster/report"
)

const planLong = `Shows what apply would change on the cluster of the stack, field by field, and changes nothing: the API server makes a
dry run of each object. + is created, ~ is changed, - is deleted, = is kept because a run needs it. Without names the
plan is for all pipelines of the project, and objects that the project no longer declares are deleted; with names, it
is for those pipelines only. For steps that are cached, the plan shows what a run would find in the store now.

With --full, a new pipeline is shown as the fields of its program, which a ConfigMap contains compressed.

With --out the plan is saved to a file, and ` + "`pipec apply --plan FILE`" + ` makes exactly these changes, or fails if the
cluster has changed since. --offline does not query a cluster.

The exit status is 3 if another manager has set a field that pipec would set. With --detailed-exitcode it is 2 if there
are changes.`

// planner shows plans.
type planner struct {
	*cli
	reportFlags
	offline, json, detailed, force bool
	out                            string
}

func planCommand(c *cli) *cobra.Command {
	p := planner{cli: c}
	cmd := &cobra.Command{
		Use:   "plan [PIPELINE]...",
		Short: "Show what apply would change on the cluster",
		Long:  planLong,
		Example: `  pipec plan --stack prod
  pipec plan --full --offline
  pipec plan --out plan.json && pipec apply --plan plan.json`,
		ValidArgsFunction: c.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.plan(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.BoolVar(&p.offline, "offline", false, "do not query a cluster: show what would be applied")
	f.StringVar(&p.out, "out", "", "save the plan to `FILE`, for apply --plan")
	f.BoolVar(&p.json, "json", false, "print JSON")
	f.BoolVar(&p.detailed, "detailed-exitcode", false, "exit with status 2 if there are changes")
	f.BoolVar(&p.force, "force-conflicts", false, "take over fields that other managers have set")
	p.reportFlags.add(cmd)
	return cmd
}

func (p *planner) plan(ctx context.Context, pipelines []string) error {
	if err := p.reportFlags.check(); err != nil {
		return err
	}
	if p.offline && (p.out != "" || p.detailed || p.force) {
		return usage("--offline can't be combined with --out, --detailed-exitcode or --force-conflicts, because it compares nothing")
	}
	pending, err := p.open().Definitions().Plan(ctx, definitions.PlanRequest{Pipelines: pipelines, Offline: p.offline, Force: p.force})
	if err != nil {
		return err
	}
	if err := p.print(p.cli, &pending.Report, p.json); err != nil || p.offline {
		return err
	}
	if err := pending.Conflicts(); err != nil {
		return err
	}
	if p.out != "" {
		if err := pending.Save(p.out); err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "The plan is saved in %s: pipec apply --plan %s\n", p.out, p.out)
	}
	if p.detailed && !pending.Report.Empty() {
		return silent(exitChanges)
	}
	return nil
}

// reportFlags say how a plan is shown.
type reportFlags struct {
	full    bool
	context int
}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.full, "full", false, "show the fields of new objects with their programs, unchanged objects, and long values in full")
	cmd.Flags().IntVar(&f.context, "context", 0, "show `N` unchanged fields around each change")
}

func (f *reportFlags) check() error {
	if f.context < 0 {
		return usage("--context must be 0 or more")
	}
	return nil
}

// print prints a report as text or as JSON.
func (f *reportFlags) print(c *cli, r *report.Report, asJSON bool) error {
	if f.full {
		r.Unpack()
	}
	if !asJSON {
		return fault.Env(report.Text(c.stdout, r, report.Options{Color: c.color(), Full: f.full, Context: f.context}))
	}
	enc := json.NewEncoder(c.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return fault.Env(enc.Encode(r))
}
