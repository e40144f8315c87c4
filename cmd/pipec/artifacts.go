package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/record"
)

const artifactsLong = `Lists what a run has made: the outputs of the pipeline and of its steps. Without a name, the latest run.`

func (a *app) artifactsCommand() *cobra.Command {
	var output, pipeline string
	cmd := &cobra.Command{
		Use:               "artifacts [RUN]",
		Short:             "List, get and compare what runs made",
		Long:              artifactsLong,
		Args:              atMost(1),
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(output); err != nil {
				return err
			}
			return a.withReader(func(reader *runs.Reader) error {
				return a.listArtifacts(cmd.Context(), reader, pipeline, first(args), output)
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	cmd.PersistentFlags().StringVar(&pipeline, "pipeline", "", "the pipeline whose latest run is meant")
	cmd.AddCommand(a.artifactsGetCommand(&pipeline), a.artifactsDiffCommand(&pipeline))
	return cmd
}

// withReader compiles the project and reads the runs of its stack.
func (a *app) withReader(f func(*runs.Reader) error) error {
	r, err := a.compileStack()
	if err != nil {
		return err
	}
	reader, err := a.reader(r)
	if err != nil {
		return err
	}
	defer reader.Close()
	return f(reader)
}

func (a *app) listArtifacts(ctx context.Context, reader *runs.Reader, pipeline, name, output string) error {
	run, err := resolve(ctx, reader, pipeline, name)
	if err != nil {
		return err
	}
	items, err := reader.Artifacts(ctx, run)
	if err != nil {
		return world(err)
	}
	enc := json.NewEncoder(a.stdout)
	w := tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
	if output == "text" && len(items) > 0 {
		fmt.Fprintln(w, "OUTPUT\tTYPE\tVALUE")
	}
	for i := range items {
		if output == "json" {
			if err := enc.Encode(&items[i]); err != nil {
				return world(err)
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", items[i].Path(), items[i].Type, shorten(oneLine(view.Content(&items[i].Datum)), 80))
	}
	if len(items) == 0 && output == "text" {
		fmt.Fprintf(a.stderr, "Run %s has made nothing.\n", run.Name)
	}
	return world(w.Flush())
}

func (a *app) artifactsGetCommand(pipeline *string) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "get RUN STEP/OUTPUT",
		Short: "Write an output to a file or a directory, or to stdout",
		Long: `Writes the content of one output: an artifact as the file or directory that it is, a value as JSON. OUTPUT
alone is an output of the pipeline, or of the only step that has one of that name. Without --to, to stdout.`,
		Args: exactly(2, "a run and an output: artifacts get RUN STEP/OUTPUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withReader(func(reader *runs.Reader) error {
				item, err := findItem(cmd.Context(), reader, *pipeline, args[0], args[1])
				if err != nil {
					return err
				}
				if out == "" || out == "-" {
					if item.Value == nil && (item.Artifact == nil || item.Artifact.Directory) {
						return usage("%s is a directory, and can't be printed: --to names the path to write it to", item.Path())
					}
					return world(reader.Print(cmd.Context(), item, a.stdout))
				}
				if _, err := os.Lstat(out); err == nil {
					return usage("there is something at %s already: --to names a path where nothing is yet", out)
				}
				return world(reader.Get(cmd.Context(), item, out))
			})
		},
	}
	cmd.Flags().StringVarP(&out, "to", "t", "", "write to this `PATH`, where nothing is yet")
	return cmd
}

func findItem(ctx context.Context, reader *runs.Reader, pipeline, name, path string) (*runs.Item, error) {
	run, err := resolve(ctx, reader, pipeline, name)
	if err != nil {
		return nil, err
	}
	items, err := reader.Artifacts(ctx, run)
	if err != nil {
		return nil, world(err)
	}
	item, err := runs.Find(items, path)
	var none *runs.NoItemError
	if errors.As(err, &none) {
		return nil, usage("run %s has no output %q; `pipec artifacts %s` lists them", run.Name, path, run.Name)
	}
	return item, world(err)
}

func (a *app) artifactsDiffCommand(pipeline *string) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "Compare what two runs made",
		Args:  exactly(2, "two runs: artifacts diff RUN RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(output); err != nil {
				return err
			}
			return a.withReader(func(reader *runs.Reader) error {
				return a.diffArtifacts(cmd.Context(), reader, *pipeline, args, output)
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func (a *app) diffArtifacts(ctx context.Context, reader *runs.Reader, pipeline string, names []string, output string) error {
	var pair [2]*record.Run
	for i, name := range names {
		var err error
		if pair[i], err = resolve(ctx, reader, pipeline, name); err != nil {
			return err
		}
	}
	diffs, same, err := reader.Diff(ctx, pair[0], pair[1])
	if err != nil {
		return world(err)
	}
	if output == "json" {
		enc := json.NewEncoder(a.stdout)
		for i := range diffs {
			if err := enc.Encode(&diffs[i]); err != nil {
				return world(err)
			}
		}
		return nil
	}
	for i := range diffs {
		d := &diffs[i]
		fmt.Fprintf(a.stdout, "%s\n", d.Path)
		if d.Old != nil {
			fmt.Fprintf(a.stdout, "  %s\n", a.paint("31", "- "+shorten(oneLine(view.Content(d.Old)), 100)))
		}
		if d.New != nil {
			fmt.Fprintf(a.stdout, "  %s\n", a.paint("32", "+ "+shorten(oneLine(view.Content(d.New)), 100)))
		}
	}
	fmt.Fprintf(a.stderr, "%s; %d alike.\n", plural(len(diffs), "difference"), same)
	return nil
}

// datum is the output that RUN/STEP/OUTPUT names.
func (a *app) datum(ctx context.Context, r *compiler.Result, address string) (*record.Datum, error) {
	name, path, ok := strings.Cut(address, "/")
	if !ok || name == "" || path == "" {
		return nil, usage("%q is not of the form RUN/STEP/OUTPUT", address)
	}
	reader, err := a.reader(r)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	item, err := findItem(ctx, reader, "", name, path)
	if err != nil {
		return nil, err
	}
	return &item.Datum, nil
}
