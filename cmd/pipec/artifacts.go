package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/record"
)

const artifactsLong = `Lists the outputs of a run: those of the pipeline and those of its steps. Without a name, the latest run.`

const artifactsExamples = `  # The outputs of the latest run
  pipec artifacts

  # Their names only, and everything that is known about them
  pipec artifacts nightly-7c2a -o name
  pipec artifacts nightly-7c2a -o yaml`

func artifactsCommand(c *cli) *cobra.Command {
	a := artifacts{cli: c}
	cmd := &cobra.Command{
		Use:               "artifacts [RUN]",
		Short:             "List, get, describe and compare the outputs of runs",
		Long:              artifactsLong,
		Example:           artifactsExamples,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.out.check(); err != nil {
				return err
			}
			return c.withRecords(cmd.Context(), func(r *records.Records) error { return a.list(cmd.Context(), r, first(args)) })
		},
	}
	a.out.add(cmd, "the addresses of outputs")
	cmd.PersistentFlags().StringVar(&a.pipeline, "pipeline", "", "the pipeline of the run")
	cmd.AddCommand(a.getCommand(), a.showCommand(), a.diffCommand())
	return cmd
}

// artifacts shows what runs have made.
type artifacts struct {
	*cli
	out, diffOut, showOut outputFlag
	pipeline              string
}

func (a *artifacts) list(ctx context.Context, r *records.Records, name string) error {
	run, items, err := r.Artifacts(ctx, a.pipeline, name)
	if err != nil {
		return err
	}
	if items == nil {
		items = []runs.Item{}
	}
	if done, err := a.out.document(a.stdout, items); done {
		return err
	}
	var names []string
	for i := range items {
		names = append(names, items[i].Path())
	}
	if done, err := a.out.names(a.stdout, names); done {
		return err
	}
	if len(items) == 0 {
		fmt.Fprintf(a.stderr, "Run %s has no outputs.\n", run)
		return nil
	}
	w := table(a.stdout)
	head := []string{"OUTPUT", "TYPE", "VALUE"}
	if a.out.wide() {
		head = append(head, "BYTES", "DIGEST", "FROM")
	}
	tableRow(w, head...)
	for i := range items {
		it, content := &items[i], oneLine(view.Content(&items[i].Datum))
		if !a.out.wide() {
			content = record.Shorten(content, 80)
		}
		row := []string{it.Path(), it.Type, content}
		if a.out.wide() {
			size, digest, from := "", "", ""
			if it.Artifact != nil {
				size, digest = strconv.FormatInt(it.Artifact.Size, 10), it.Artifact.Digest
			}
			switch {
			case it.Cached:
				from = "cache"
			case it.Kept:
				from = "kept"
			}
			row = append(row, size, digest, from)
		}
		tableRow(w, row...)
	}
	return fault.Env(w.Flush())
}

const getExamples = `  # The output auc of an instance of the step evaluate, of the latest run
  pipec artifacts get 'evaluate[0].auc'

  # A directory, in place of what is at that path
  pipec artifacts get nightly-7c2a report/plots -o plots --force`

func (a *artifacts) getCommand() *cobra.Command {
	var out string
	var force bool
	cmd := &cobra.Command{
		Use:   "get [RUN] OUTPUT",
		Short: "Write an output to a file or a directory, or to stdout",
		Long: `Writes the content of one output: an artifact as a file or directory, a value as JSON. OUTPUT is the address of the output
as in an expression, STEP.OUTPUT, or STEP/OUTPUT. A name alone is an output of the pipeline, or of the only step that has an
output with that name. Without a run, the latest. Without --to it is written to stdout.`,
		Example:           getExamples,
		Args:              between(1, 2, "a run and an output: artifacts get [RUN] OUTPUT"),
		ValidArgsFunction: a.completeArtifacts,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, run, path := cmd.Context(), "", args[len(args)-1]
			if len(args) == 2 {
				run = args[0]
			}
			return a.withRecords(ctx, func(r *records.Records) error {
				item, err := r.Item(ctx, a.pipeline, run, paths.Form(path))
				if err != nil {
					return err
				}
				if out == "" || out == "-" {
					return r.Print(ctx, item, a.stdout)
				}
				return r.Get(ctx, item, out, force)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "to", "o", "", "write to `PATH`, which must not exist yet; -: stdout")
	cmd.Flags().BoolVar(&force, "force", false, "replace what is at the path of --to")
	return cmd
}

// completeArtifacts completes the outputs of the latest run and the names of runs, and after a run its outputs.
func (a *artifacts) completeArtifacts(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if len(args) == 0 {
		names, _ = a.completeRuns(cmd, args, word)
	}
	_ = a.withRecords(cmd.Context(), func(r *records.Records) error {
		_, items, err := r.Artifacts(cmd.Context(), a.pipeline, first(args))
		for i := range items {
			names = append(names, items[i].Path())
		}
		return err
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

const diffExamples = `  # What has changed since yesterday's run?
  pipec artifacts diff nightly-7c2a latest`

func (a *artifacts) diffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "Compare the params and outputs of two runs",
		Long: `Compares the params and the outputs of two runs. Values are compared as JSON, artifacts by their digest. For numbers the
difference is printed too.`,
		Example:           diffExamples,
		Args:              exactly(2, "two runs: artifacts diff RUN RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.diffOut.check(); err != nil {
				return err
			}
			return a.withRecords(cmd.Context(), func(r *records.Records) error {
				return a.diff(cmd.Context(), r, args[0], args[1])
			})
		},
	}
	a.diffOut.add(cmd, "the addresses of outputs")
	return cmd
}

func (a *artifacts) diff(ctx context.Context, r *records.Records, before, after string) error {
	diffs, same, err := r.Diff(ctx, a.pipeline, before, after)
	if err != nil {
		return err
	}
	if diffs == nil {
		diffs = []runs.Difference{}
	}
	if done, err := a.diffOut.document(a.stdout, diffs); done {
		return err
	}
	var names []string
	for i := range diffs {
		names = append(names, diffs[i].Path)
	}
	if done, err := a.diffOut.names(a.stdout, names); done {
		return err
	}
	for i := range diffs {
		d := &diffs[i]
		fmt.Fprintf(a.stdout, "%s\n", d.Path)
		if d.Old != nil {
			fmt.Fprintf(a.stdout, "  %s\n", a.paint("31", "- "+record.Shorten(oneLine(view.Content(d.Old)), 100)))
		}
		if d.New != nil {
			text := "+ " + record.Shorten(oneLine(view.Content(d.New)), 100)
			if d.Delta != nil {
				text += " (" + signed(*d.Delta) + ")"
			}
			fmt.Fprintf(a.stdout, "  %s\n", a.paint("32", text))
		}
	}
	fmt.Fprintf(a.stderr, "%s; %d the same.\n", plural(len(diffs), "difference"), same)
	return nil
}

// signed writes a difference with its sign, without the noise of floating point.
func signed(d float64) string {
	text := strconv.FormatFloat(d, 'g', 10, 64)
	if d > 0 {
		return "+" + text
	}
	return text
}
