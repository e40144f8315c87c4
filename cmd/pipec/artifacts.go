package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/record"
)

const artifactsLong = `Lists the outputs of a run: those of the pipeline and those of its steps. Without a name, the latest run.`

func artifactsCommand(c *cli) *cobra.Command {
	a := artifacts{cli: c}
	cmd := &cobra.Command{
		Use:               "artifacts [RUN]",
		Short:             "List, get and compare the outputs of runs",
		Long:              artifactsLong,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(a.output); err != nil {
				return err
			}
			return c.withRecords(cmd.Context(), func(r *records.Records) error { return a.list(cmd.Context(), r, first(args)) })
		},
	}
	cmd.Flags().StringVarP(&a.output, "output", "o", "text", "text or json")
	cmd.PersistentFlags().StringVar(&a.pipeline, "pipeline", "", "the pipeline of the run")
	cmd.AddCommand(a.getCommand(), a.diffCommand())
	return cmd
}

// artifacts shows what runs have made.
type artifacts struct {
	*cli
	output, pipeline string
}

func (a *artifacts) list(ctx context.Context, r *records.Records, name string) error {
	run, items, err := r.Artifacts(ctx, a.pipeline, name)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(a.stdout)
	w := tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
	if a.output == "text" && len(items) > 0 {
		fmt.Fprintln(w, "OUTPUT\tTYPE\tVALUE")
	}
	for i := range items {
		if a.output == "json" {
			if err := enc.Encode(&items[i]); err != nil {
				return fault.Env(err)
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", items[i].Path(), items[i].Type, record.Shorten(oneLine(view.Content(&items[i].Datum)), 80))
	}
	if len(items) == 0 && a.output == "text" {
		fmt.Fprintf(a.stderr, "Run %s has no outputs.\n", run)
	}
	return fault.Env(w.Flush())
}

func (a *artifacts) getCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:               "get RUN STEP/OUTPUT",
		ValidArgsFunction: a.completeArtifacts,
		Short:             "Write an output to a file or a directory, or to stdout",
		Long: `Writes the content of one output: an artifact as a file or directory, a value as JSON. OUTPUT alone is an
output of the pipeline, or of the only step that has an output with that name. Without --to it is written to stdout.`,
		Args: exactly(2, "a run and an output: artifacts get RUN STEP/OUTPUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withRecords(ctx, func(r *records.Records) error {
				item, err := r.Item(ctx, a.pipeline, args[0], paths.Form(args[1]))
				if err != nil {
					return err
				}
				if out == "" || out == "-" {
					return r.Print(ctx, item, a.stdout)
				}
				return r.Get(ctx, item, out)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "to", "t", "", "write to `PATH`, which must not exist yet")
	return cmd
}

func (a *artifacts) diffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "Compare the outputs of two runs",
		Args:  exactly(2, "two runs: artifacts diff RUN RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(a.output); err != nil {
				return err
			}
			return a.withRecords(cmd.Context(), func(r *records.Records) error {
				return a.diff(cmd.Context(), r, args[0], args[1])
			})
		},
	}
	cmd.Flags().StringVarP(&a.output, "output", "o", "text", "text or json")
	return cmd
}

func (a *artifacts) diff(ctx context.Context, r *records.Records, before, after string) error {
	diffs, same, err := r.Diff(ctx, a.pipeline, before, after)
	if err != nil {
		return err
	}
	if a.output == "json" {
		enc := json.NewEncoder(a.stdout)
		for i := range diffs {
			if err := enc.Encode(&diffs[i]); err != nil {
				return fault.Env(err)
			}
		}
		return nil
	}
	for i := range diffs {
		d := &diffs[i]
		fmt.Fprintf(a.stdout, "%s\n", d.Path)
		if d.Old != nil {
			fmt.Fprintf(a.stdout, "  %s\n", a.paint("31", "- "+record.Shorten(oneLine(view.Content(d.Old)), 100)))
		}
		if d.New != nil {
			fmt.Fprintf(a.stdout, "  %s\n", a.paint("32", "+ "+record.Shorten(oneLine(view.Content(d.New)), 100)))
		}
	}
	fmt.Fprintf(a.stderr, "%s; %d the same.\n", plural(len(diffs), "difference"), same)
	return nil
}
