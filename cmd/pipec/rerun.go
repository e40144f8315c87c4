package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/record"
)

const rerunLong = `Runs the steps of a run again that failed, and all steps that depend on them. The results of steps that succeeded are
kept, also inside of a step that has failed: of its instances, rounds and called steps. The command lists first what runs,
and why, and what is kept.

--from runs a step again although it succeeded, and --param gives a param another value. In both cases, all that depends on
it runs too. With --dry-run, the list is all that happens.

A run that was killed is resumed under its own name, with the definition, params and code that it was started with. For a
run that has ended, a new run is started with the project as it is now. A step whose definition has changed since is run
too; a change of its code alone does not run a step again that succeeded. Without a name, the latest run.

On a cluster, a new run is started in both cases.`

// rerunner reruns runs.
type rerunner struct {
	runStarter
	pipeline string
	dryRun   bool
	from     []string
}

func rerunCommand(c *cli) *cobra.Command {
	r := rerunner{runStarter: runStarter{cli: c}}
	cmd := &cobra.Command{
		Use:   "rerun [RUN]",
		Short: "Run failed steps again, and what depends on them",
		Long:  rerunLong,
		Example: `  pipec rerun
  pipec rerun latest --dry-run
  pipec rerun train-20260131-0600 -p rate=0.1
  pipec rerun train-20260131-0600 --from call.train`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return r.rerun(cmd.Context(), first(args)) },
	}
	cmd.Flags().StringVar(&r.pipeline, "pipeline", "", "the pipeline of the run")
	cmd.Flags().StringArrayVarP(&r.request.Params, "param", "p", nil, "set another value of a param: `NAME=VALUE`, as for run; steps that read it run again, and all that depends on them; may be repeated")
	cmd.Flags().StringArrayVar(&r.request.ParamFiles, "params", nil, "read other values of params from a `FILE` of JSON, YAML or HCL; may be repeated")
	cmd.Flags().StringArrayVar(&r.from, "from", nil, "run this `STEP` again although it succeeded, and all that depends on it; takes addresses such as call.train, train[0] and tune#2; may be repeated")
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
	request := &orchestrator.RerunRequest{Run: orchestrator.RunRequest{Pipeline: r.pipeline, Name: name}, From: r.from, StartRequest: r.request}
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
	if r.dryRun {
		doc := struct {
			Run    string           `json:"run"`
			Resume bool             `json:"resume"`
			Steps  []rerun.Decision `json:"steps"`
		}{plan.Of, plan.Resume, plan.Steps}
		if done, err := r.show.out.document(r.stdout, doc); done {
			return err
		}
		var names []string // of what runs
		for i := range plan.Steps {
			if !plan.Steps[i].Keep {
				names = append(names, plan.Steps[i].Step)
			}
		}
		if done, err := r.show.out.names(r.stdout, names); done {
			return err
		}
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
	r.printSteps(w, plan.Steps)
	return nil
}

// printSteps prints decisions. Of the parts of a step, it prints the first ones that are kept, and the first ones that run.
func (r *rerunner) printSteps(w io.Writer, steps []rerun.Decision) {
	all, printed := map[group]int{}, map[group]int{}
	for i := range steps {
		all[groupOf(&steps[i])]++
	}
	for i := range steps {
		d := &steps[i]
		g := groupOf(d)
		verb := r.paint("1", "run") + " "
		if d.Keep {
			verb = r.paint("2", "keep")
		}
		if most := g.most(); g.of != "" && !d.Part && all[g] > most+1 && printed[g] >= most {
			if printed[g] == most {
				fmt.Fprintf(w, "  %s %d more parts of %s\n", verb, all[g]-most, g.of)
			}
			printed[g]++
			continue
		}
		printed[g]++
		switch {
		case d.Keep:
			fmt.Fprintf(w, "  %s %s\n", verb, d.Step)
		case d.Part:
			fmt.Fprintf(w, "  %s %s (%s; only what follows)\n", verb, d.Step, d.Why)
		default:
			fmt.Fprintf(w, "  %s %s (%s)\n", verb, d.Step, d.Why)
		}
	}
}

// group is the parts of a step that are kept, or those that run.
type group struct {
	of   record.Address // "": the steps of the pipeline itself
	keep bool
}

func groupOf(d *rerun.Decision) group {
	parent, _ := record.Address(d.Step).Parent()
	return group{parent, d.Keep}
}

// most is how many parts of a group are printed.
func (g group) most() int {
	if g.keep {
		return 5
	}
	return 20
}
