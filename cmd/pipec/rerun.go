package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/runtime/rerun"
)

const rerunLong = `Runs the steps of a run again that failed, and all steps that depend on them. The results of steps that succeeded are
kept. The command lists both first.

A run that was killed is resumed under its own name, with the definition, params and code that it was started with. For a
run that has ended, a new run is started with the project as it is now. A step whose definition has changed since is run
too; a change of its code alone does not run a step again that succeeded. Without a name, the latest run.

On a cluster, a new run is started in both cases.`

// rerunner reruns runs.
type rerunner struct {
	runStarter
	pipeline string
	dryRun   bool
}

func rerunCommand(c *cli) *cobra.Command {
	r := rerunner{runStarter: runStarter{cli: c}}
	cmd := &cobra.Command{
		Use:               "rerun [RUN]",
		Short:             "Run failed steps again, and what depends on them",
		Long:              rerunLong,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return r.rerun(cmd.Context(), first(args)) },
	}
	cmd.Flags().StringVar(&r.pipeline, "pipeline", "", "the pipeline of the run")
	cmd.Flags().StringVar(&r.request.Name, "name", "", "the name of the new run (default: a generated name)")
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "list what would be run, and run nothing")
	cmd.Flags().Var(&r.parallel, "parallel", "the number of steps that run at once (default: the stack's, or the number of cores)")
	r.show.flags(cmd)
	r.waitFlags(cmd)
	return cmd
}

func (r *rerunner) rerun(ctx context.Context, name string) error {
	if err := r.check(); err != nil {
		return err
	}
	runs, err := r.open().Runner()
	if err != nil {
		return err
	}
	r.request.Parallel = int(r.parallel)
	request := &orchestrator.RerunRequest{Run: orchestrator.RunRequest{Pipeline: r.pipeline, Name: name}, StartRequest: r.request}
	plan, err := runs.Rerun(ctx, request)
	if err != nil {
		return err
	}
	if plan.Nothing != "" {
		fmt.Fprintln(r.stderr, plan.Nothing)
		return nil
	}
	if err := r.print(plan); err != nil || r.dryRun {
		return err
	}
	return r.follow(runs, &request.StartRequest, func() (*orchestrator.Outcome, error) { return plan.Start(ctx) })
}

// print prints which steps are run and which are kept: on stderr, or, with --dry-run, as the product.
func (r *rerunner) print(plan *orchestrator.RerunPlan) error {
	if r.dryRun && r.show.json() {
		return fault.Env(json.NewEncoder(r.stdout).Encode(struct {
			Run    string           `json:"run"`
			Resume bool             `json:"resume"`
			Steps  []rerun.Decision `json:"steps"`
		}{plan.Of, plan.Resume, plan.Steps}))
	}
	w := r.stderr
	if r.dryRun {
		w = r.stdout
	}
	if plan.Resume {
		fmt.Fprintf(w, "Run %s was killed and is resumed:\n", plan.Of)
	} else {
		fmt.Fprintf(w, "A new run takes over the results of run %s:\n", plan.Of)
	}
	for _, d := range plan.Steps {
		if d.Keep {
			fmt.Fprintf(w, "  %s %s\n", r.paint("2", "keep"), d.Step)
			continue
		}
		why := d.Why
		if d.Part {
			why += "; those of its instances that succeeded are kept"
		}
		fmt.Fprintf(w, "  %s  %s (%s)\n", r.paint("1", "run"), d.Step, why)
	}
	return nil
}
