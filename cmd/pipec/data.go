package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/datasets"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/data/drift"
)

const dataDiffExamples = `  # Two outputs of the latest run, and two files
  pipec data diff split.train split.serving
  pipec data diff reference.csv today.parquet

  # An output of an earlier run, and the same of the latest run
  pipec data diff nightly-7c2a/clean/table clean/table

  # A gate: status 1 if a feature has drifted
  pipec data diff reference.csv today.csv --columns age,country --fail-above js=0.1,linf=0.05`

func dataCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{Use: "data", Short: "Compare datasets", Example: "  pipec data diff train.csv serve.csv --fail-above js=0.1"}
	cmd.AddCommand(dataDiffCommand(c))
	return cmd
}

// dataDiff compares two datasets.
type dataDiff struct {
	*cli
	out     outputFlag
	request datasets.Request
	above   []string
}

func dataDiffCommand(c *cli) *cobra.Command {
	d := dataDiff{cli: c}
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare the distributions of two datasets, feature by feature",
		Long: `Compares dataset B with the reference A, feature by feature, the largest distance first. A dataset is a csv, parquet or npy file,
or the address of a dataframe or an ndarray of the latest run: STEP.OUTPUT, STEP/OUTPUT, or the name of an output.
RUN/STEP/OUTPUT and RUN/OUTPUT name one of another run. The path of a file without one of these extensions starts with ./

The measures: js (Jensen-Shannon divergence, base 2), ks (Kolmogorov-Smirnov) and wasserstein (divided by the standard deviation
of A) of numbers and dates, linf (L-infinity) of categories and booleans, and missing (the difference of the shares of missing
values). A distance above 0.1 is marked. --fail-above sets other thresholds, and makes the status 1 if a distance is above one, or if
a column has another kind of values in B.`,
		Example:           dataDiffExamples,
		Args:              exactly(2, "two datasets: data diff A B"),
		ValidArgsFunction: d.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.out.check(); err != nil {
				return err
			}
			var err error
			if d.request.Above, err = datasets.ParseAbove(d.above); err != nil {
				return err
			}
			d.request.A, d.request.B = args[0], args[1]
			return d.run(cmd.Context())
		},
	}
	d.out.add(cmd, "the names of features above a threshold")
	f := cmd.Flags()
	f.StringSliceVar(&d.above, "fail-above", nil, "fail if a distance is larger, as `MEASURE=NUMBER`; may be repeated")
	f.StringSliceVar(&d.request.Columns, "columns", nil, "compare only these columns, which must be in both datasets")
	f.StringVar(&d.request.Pipeline, "pipeline", "", "the pipeline of the runs")
	_ = cmd.RegisterFlagCompletionFunc("fail-above", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var out []string
		for _, m := range drift.Measures() {
			out = append(out, m+"=")
		}
		return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	})
	_ = cmd.RegisterFlagCompletionFunc("columns", cobra.NoFileCompletions)
	return cmd
}

// complete completes the outputs of the latest run that are datasets, and files.
func (d *dataDiff) complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	_ = d.withRecords(cmd.Context(), func(r *records.Records) error {
		_, items, err := r.Artifacts(cmd.Context(), d.request.Pipeline, "")
		for i := range items {
			if items[i].Type == "dataframe" || items[i].Type == "ndarray" {
				names = append(names, items[i].Path())
			}
		}
		return err
	})
	return names, cobra.ShellCompDirectiveDefault
}

func (d *dataDiff) run(ctx context.Context) error {
	compare := func(r *records.Records) error {
		d.request.Records = func() (*records.Records, error) { return r, nil }
		c, err := datasets.Compare(ctx, &d.request)
		if err != nil {
			return err
		}
		if err := d.show(c); err != nil {
			return err
		}
		return datasets.Judge(&d.request, c)
	}
	if datasets.IsFile(d.request.A) && datasets.IsFile(d.request.B) {
		return compare(nil) // works outside of a project
	}
	return d.withRecords(ctx, compare)
}

func (d *dataDiff) show(c *drift.Comparison) error {
	if done, err := d.out.document(d.stdout, c); done {
		return err
	}
	if d.out.format == outName {
		var names []string
		for i := range c.Features {
			if len(c.Features[i].Above) > 0 || c.Features[i].Changed() {
				names = append(names, c.Features[i].Column)
			}
		}
		_, err := d.out.names(d.stdout, names)
		return err
	}
	w := table(d.stdout)
	head := []string{"FEATURE", "KIND", "JS", "KS", "WASSERSTEIN", "LINF", "MISSING", "DRIFT"}
	if d.out.wide() {
		head = append(head, "MEAN", "STD", "UNIQUE", "HISTOGRAM OR TOP VALUES")
	}
	tableRow(w, head...)
	for i := range c.Features {
		tableRow(w, d.row(&c.Features[i])...)
	}
	if err := w.Flush(); err != nil {
		return fault.Env(err)
	}
	fmt.Fprintf(d.stderr, "A has %s, B has %s.\n", plural(int(c.RowsA), "row"), plural(int(c.RowsB), "row"))
	for _, only := range []struct {
		dataset string
		columns []string
	}{{"A", c.OnlyA}, {"B", c.OnlyB}} {
		if only.columns != nil {
			fmt.Fprintf(d.stderr, "Only in %s: %s\n", only.dataset, oneLine(strings.Join(only.columns, ", ")))
		}
	}
	return nil
}

func (d *dataDiff) row(f *drift.Feature) []string {
	kind, above := string(f.Kind), strings.Join(f.Above, ", ")
	if f.Other != "" {
		kind += " → " + string(f.Other)
	}
	if f.Changed() {
		above = "other kind"
	}
	row := []string{oneLine(f.Column), kind}
	for _, m := range []string{drift.JS, drift.KS, drift.Wasserstein, drift.LInf, drift.Missing} {
		text := ""
		if v, ok := f.Distances[m]; ok {
			text = datasets.Number(v)
		}
		row = append(row, text)
	}
	row = append(row, above)
	if d.out.wide() {
		a, b := columnRow(&f.A, false), columnRow(&f.B, false)
		for _, i := range []int{4, 5, 3, 10} {
			text := a[i] + " → " + b[i]
			if a[i] == "" && b[i] == "" {
				text = ""
			}
			row = append(row, text)
		}
	}
	return row
}
