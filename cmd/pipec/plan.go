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

const planLong = `Shows what apply would change on the cluster of the stack, field by field, and changes nothing: the API server
makes a dry run of each object. + is created, ~ changed, - deleted, = stays because a run needs it. Without a name it is
for all pipelines of the project, and what the project no longer has is deleted; with names, for those alone. Where steps
are cached it asks the store too, and says what a run would find there now.

With --out the plan is kept in a file, and ` + "`pipec apply --plan FILE`" + ` does exactly that, or refuses where the cluster has
moved since. --offline asks no cluster.

Exit status 3 where another manager has set a field that pipec would set; with --detailed-exitcode, 2 where there are
changes.`

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
		Use:               "plan [PIPELINE]...",
		Short:             "Show what apply would change on the cluster",
		Long:              planLong,
		ValidArgsFunction: c.completePipelines,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.plan(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.BoolVar(&p.offline, "offline", false, "ask no cluster: show what would be applied")
	f.StringVar(&p.out, "out", "", "keep the plan in `FILE`, for apply --plan")
	f.BoolVar(&p.json, "json", false, "as JSON")
	f.BoolVar(&p.detailed, "detailed-exitcode", false, "exit status 2 where there are changes")
	f.BoolVar(&p.force, "force-conflicts", false, "take over fields that other managers have set")
	p.reportFlags.add(cmd)
	return cmd
}

func (p *planner) plan(ctx context.Context, pipelines []string) error {
	if err := p.reportFlags.check(); err != nil {
		return err
	}
	if p.offline && (p.out != "" || p.detailed || p.force) {
		return usage("--offline compares nothing: --out, --detailed-exitcode and --force-conflicts have no meaning with it")
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
	cmd.Flags().BoolVar(&f.full, "full", false, "show the fields of what is new, what is unchanged, and long values whole")
	cmd.Flags().IntVar(&f.context, "context", 0, "show `N` unchanged fields around each that changes")
}

func (f *reportFlags) check() error {
	if f.context < 0 {
		return usage("--context is a number from 0 on")
	}
	return nil
}

// print prints a report as text or as JSON.
func (f *reportFlags) print(c *cli, r *report.Report, asJSON bool) error {
	if !asJSON {
		return fault.Env(report.Text(c.stdout, r, report.Options{Color: c.color(), Full: f.full, Context: f.context}))
	}
	enc := json.NewEncoder(c.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return fault.Env(enc.Encode(r))
}
