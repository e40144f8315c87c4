package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

const rerunLong = `Runs what failed, and all that depends on it; what succeeded is kept. It says which before it does.

A run that was killed in the middle goes on under its own name, with the definition, the params and the code it
started with. One that has ended is run again as a new run, with the project as it is now: a step whose definition has
changed since is run too; a change in its code alone is no reason to run again what succeeded. Without a name, the
latest run.

On a cluster a run always is run again as a new one.`

func (a *app) rerunCommand() *cobra.Command {
	var o runOptions
	var pipeline string
	var dryRun bool
	cmd := &cobra.Command{
		Use:               "rerun [RUN]",
		Short:             "Run what failed, and what depends on it",
		Long:              rerunLong,
		Args:              atMost(1),
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rerun(cmd.Context(), first(args), pipeline, dryRun, o)
		},
	}
	cmd.Flags().StringVar(&pipeline, "pipeline", "", "the pipeline whose latest run is meant")
	cmd.Flags().StringVar(&o.name, "name", "", "the new run's name; without it, one is made")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be run, and run nothing")
	cmd.Flags().Var(&o.parallel, "parallel", "how many steps run at once (default: the stack's, or the machine's cores)")
	o.show.flags(cmd)
	o.waitFlags(cmd)
	return cmd
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (a *app) rerun(ctx context.Context, name, pipeline string, dryRun bool, o runOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	stack, err := theStack(r)
	if err != nil {
		return err
	}
	if onCluster(stack) {
		return a.rerunRemote(ctx, r, stack, pipeline, name, dryRun, o)
	}
	if err := o.onlyCluster(); err != nil {
		return err
	}
	of, err := a.findRun(ctx, r, pipeline, name)
	if err != nil {
		return err
	}
	lo, err := a.localOptions(r, r.Program(of.Pipeline))
	if err != nil {
		return err
	}
	lo.Name, lo.Parallel = o.name, int(o.parallel)
	p, err := local.PlanRerun(ctx, lo, of)
	var refusal *local.Refusal
	if errors.As(err, &refusal) && refusal.Code == local.RefusedEnded {
		fmt.Fprintln(a.stderr, refusal)
		return nil
	}
	if err != nil {
		return refused(err)
	}
	if err := a.sayRerun(p.Of.Name, p.Resume, p.Steps, o.show, dryRun); err != nil || dryRun {
		return err
	}
	prog := lo.Program
	if p.Resume {
		if prog, err = a.recordedProgram(ctx, r, of); err != nil {
			return err
		}
	}
	return a.follow(ctx, prog, lo, o.show, func(ctx context.Context, lo local.Options) (local.Outcome, error) {
		return local.Rerun(ctx, lo, p)
	})
}

// sayRerun says what will be run, and what is kept: on stderr, or, where that is all, as the product.
func (a *app) sayRerun(of string, resume bool, steps []rerun.Decision, show showOptions, dryRun bool) error {
	if dryRun && show.output == "json" {
		return world(json.NewEncoder(a.stdout).Encode(struct {
			Run    string           `json:"run"`
			Resume bool             `json:"resume"`
			Steps  []rerun.Decision `json:"steps"`
		}{of, resume, steps}))
	}
	w := a.stderr
	if dryRun {
		w = a.stdout
	}
	if resume {
		fmt.Fprintf(w, "Run %s was killed and goes on:\n", of)
	} else {
		fmt.Fprintf(w, "A new run takes over what run %s has done:\n", of)
	}
	for _, d := range steps {
		if d.Keep {
			fmt.Fprintf(w, "  %s %s\n", a.paint("2", "keep"), d.Step)
		} else {
			why := d.Why
			if d.Part {
				why += "; those of its instances that succeeded are kept"
			}
			fmt.Fprintf(w, "  %s  %s (%s)\n", a.paint("1", "run"), d.Step, why)
		}
	}
	return nil
}

// recordedProgram is the program that a run was started with.
func (a *app) recordedProgram(ctx context.Context, r *compiler.Result, of *record.Run) (*program.Program, error) {
	reader, err := a.reader(r)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	p, err := reader.Program(ctx, of)
	return p, world(err)
}

// reader reads the runs of the chosen stack.
func (a *app) reader(r *compiler.Result) (*runs.Reader, error) {
	stack, err := theStack(r)
	if err != nil {
		return nil, err
	}
	reader, err := runs.Open(a.dir, stack)
	if err != nil {
		return nil, world(err)
	}
	if onCluster(stack) {
		reader.Ask(live(context.Background(), a.stderr, namespaceOf(stack), a.liveJobs(stack)))
	}
	return reader, nil
}

// findRun finds the run that a name stands for: its name, the start of it, or "latest".
func (a *app) findRun(ctx context.Context, r *compiler.Result, pipeline, name string) (*record.Run, error) {
	reader, err := a.reader(r)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return resolve(ctx, reader, pipeline, name)
}

func resolve(ctx context.Context, reader *runs.Reader, pipeline, name string) (*record.Run, error) {
	run, err := reader.Resolve(ctx, pipeline, name)
	var none *runs.NotFoundError
	if errors.As(err, &none) {
		return nil, usage("%v; `pipec runs` lists them", none)
	}
	return run, world(err)
}

// completeRuns completes the names of runs, the newest first.
func (a *app) completeRuns(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	r, err := a.compile(a.dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	reader, err := a.reader(r)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer reader.Close()
	var names []string
	for s, err := range reader.List(cmd.Context(), "") {
		if err != nil || len(names) == 50 {
			break
		}
		names = append(names, s.Run.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
