package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/data"
	"pipec.dev/pipec/runtime/data/stats"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/record"
)

const showExamples = `  # The columns of a dataframe of the latest run
  pipec artifacts show clean.table

  # With quantiles, and for programs
  pipec artifacts show clean.table -o wide
  pipec artifacts show nightly-7c2a clean.table -o json`

func (a *artifacts) showCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [RUN] OUTPUT",
		Short: "Describe an output by its type",
		Long: `Describes one output: the statistics of each column of a dataframe or an ndarray, the lines of a text, the size of an image, the
files of a directory. OUTPUT is its address as for artifacts get. Without a run, the latest.

Statistics are computed once for each artifact and kept in the artifact store, if you may write to it. They are exact up to
1,000,000 rows. Beyond that, ~ marks columns with estimated values.`,
		Example:           showExamples,
		Args:              between(1, 2, "a run and an output: artifacts show [RUN] OUTPUT"),
		ValidArgsFunction: a.completeArtifacts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.showOut.check(); err != nil {
				return err
			}
			ctx, run, path := cmd.Context(), "", args[len(args)-1]
			if len(args) == 2 {
				run = args[0]
			}
			return a.withRecords(ctx, func(r *records.Records) error { return a.show(ctx, r, run, paths.Form(path)) })
		},
	}
	a.showOut.add(cmd, "the names of columns")
	return cmd
}

func (a *artifacts) show(ctx context.Context, r *records.Records, run, path string) error {
	d, err := r.Describe(ctx, a.pipeline, run, path)
	if err != nil {
		return err
	}
	if done, err := a.showOut.document(a.stdout, d.Brief()); done {
		return err
	}
	if a.showOut.format == outName {
		var names []string
		if d.Table != nil {
			for i := range d.Table.Columns {
				names = append(names, d.Table.Columns[i].Name)
			}
		}
		_, err := a.showOut.names(a.stdout, names)
		return err
	}
	return a.describe(d, a.showOut.wide())
}

// describe prints a description for people.
func (a *artifacts) describe(d *data.Description, wide bool) error {
	fmt.Fprintf(a.stdout, "%s: %s\n", oneLine(d.Name), descriptionLine(d))
	switch {
	case d.Problem != "":
		fmt.Fprintf(a.stdout, "  %s\n", oneLine(d.Problem))
	case d.Value != nil:
		fmt.Fprintf(a.stdout, "  %s\n", record.Shorten(oneLine(string(d.Value)), 1000))
	case d.Table != nil:
		return columnTable(a.stdout, d.Table, wide)
	case d.JSON != nil && d.JSON.Keys != nil:
		fmt.Fprintf(a.stdout, "  keys: %s\n", record.Shorten(oneLine(strings.Join(d.JSON.Keys, ", ")), 200))
	case d.Directory != nil:
		w := table(a.stdout)
		tableRow(w, "LARGEST FILES", "BYTES")
		for _, f := range d.Directory.Largest {
			tableRow(w, oneLine(f.Path), strconv.FormatInt(f.Size, 10))
		}
		return fault.Env(w.Flush())
	case d.Elems != nil:
		w := table(a.stdout)
		tableRow(w, "ELEMENT", "CONTENT")
		for i := range d.Elems {
			name := d.Elems[i].Name
			if name == "" {
				name = strconv.Itoa(i)
			}
			tableRow(w, oneLine(name), descriptionLine(&d.Elems[i]))
		}
		return fault.Env(w.Flush())
	}
	return nil
}

// descriptionLine returns what fits in a line: "dataframe (csv), 4 rows, 2 columns, 30 bytes".
func descriptionLine(d *data.Description) string {
	parts := []string{d.Type}
	if d.Format != "" {
		parts[0] += " (" + d.Format + ")"
	}
	switch {
	case d.Array != nil:
		var shape []string
		for _, n := range d.Array.Shape {
			shape = append(shape, strconv.FormatInt(n, 10))
		}
		parts = append(parts, "shape ("+strings.Join(shape, ", ")+")", "dtype "+d.Array.DType)
	case d.Table != nil:
		parts = append(parts, plural(int(d.Table.Rows), "row"), plural(len(d.Table.Columns), "column"))
	case d.Text != nil:
		parts = append(parts, plural(int(d.Text.Lines), "line"), plural(int(d.Text.Characters), "character"))
	case d.JSON != nil:
		parts = append(parts, jsonLine(d.JSON))
	case d.Image != nil:
		parts = append(parts, fmt.Sprintf("%d × %d pixels", d.Image.Width, d.Image.Height))
	case d.Directory != nil:
		parts = append(parts, plural(d.Directory.Files, "file"))
	case d.Elems != nil:
		parts = append(parts, plural(len(d.Elems), "element"))
	}
	if d.Digest != "" {
		parts = append(parts, plural(int(d.Size), "byte"))
	}
	return strings.Join(parts, ", ")
}

func jsonLine(j *data.JSON) string {
	switch j.Kind {
	case "object":
		return fmt.Sprintf("object with %s, depth %d", plural(j.Len, "key"), j.Depth)
	case "array":
		return fmt.Sprintf("array with %s, depth %d", plural(j.Len, "element"), j.Depth)
	}
	return j.Kind
}

func columnTable(out io.Writer, t *stats.Table, wide bool) error {
	w := table(out)
	head := []string{"COLUMN", "KIND", "MISSING", "UNIQUE", "MEAN", "STD", "ZEROS", "MIN", "MEDIAN", "MAX", "HISTOGRAM OR TOP VALUES"}
	if wide {
		head = append(head, "TYPE", "5%", "25%", "75%", "95%", "INFINITE")
	}
	tableRow(w, head...)
	for i := range t.Columns {
		tableRow(w, columnRow(&t.Columns[i], wide)...)
	}
	return fault.Env(w.Flush())
}

func columnRow(c *stats.Column, wide bool) []string {
	unique := strconv.FormatInt(c.Unique, 10)
	if c.Approximate {
		unique = "~" + unique
	}
	if c.Kind == stats.Unsupported {
		unique = ""
	}
	row := []string{oneLine(c.Name), string(c.Kind), share(c.Missing, c.Count+c.Missing), unique}
	n := c.Numbers
	if n == nil {
		row = append(row, "", "", "", "", "", "", topValues(c))
		if wide {
			row = append(row, c.Type, "", "", "", "", "")
		}
		return row
	}
	f := func(v stats.Float) string { return statistic(v, c.Kind) }
	deviation, zeros := statistic(n.Deviation, stats.Numeric), strconv.FormatInt(n.Zeros, 10)
	if c.Kind == stats.Date {
		zeros = ""
		if n.Deviation == n.Deviation && n.Deviation < 1e9 {
			deviation = time.Duration(float64(n.Deviation) * float64(time.Second)).Round(time.Second).String()
		}
	}
	row = append(row, f(n.Mean), deviation, zeros, f(n.Min), f(n.Median), f(n.Max), bars(n.Histogram))
	if wide {
		row = append(row, c.Type)
		for _, level := range []float64{0.05, 0.25, 0.75, 0.95} {
			text := ""
			for i, l := range stats.Levels {
				if l == level && i < len(n.Quantiles) {
					text = f(n.Quantiles[i])
				}
			}
			row = append(row, text)
		}
		row = append(row, strconv.FormatInt(n.Infinite+n.NegInfinite, 10))
	}
	return row
}

// statistic returns a number, or a date; "" for NaN.
func statistic(v stats.Float, kind stats.Kind) string {
	switch {
	case v != v:
		return ""
	case kind == stats.Date:
		if v < -62135596800 || v > 253402300799 { // the years 1 to 9999
			return strconv.FormatFloat(float64(v), 'g', 6, 64) + " s"
		}
		t := time.Unix(int64(v), 0).UTC()
		if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
			return t.Format(time.DateOnly)
		}
		return t.Format(time.DateTime)
	}
	return strconv.FormatFloat(float64(v), 'g', 6, 64)
}

// share returns a part of a whole: "0", or "12 (3.4%)".
func share(n, of int64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.3g%%)", n, 100*float64(n)/float64(of))
}

func topValues(c *stats.Column) string {
	var out []string
	for _, v := range c.Top[:min(len(c.Top), 3)] {
		out = append(out, fmt.Sprintf("%s (%d)", record.Shorten(oneLine(v.Value), 20), v.Count))
	}
	return strings.Join(out, ", ")
}

// bars draws a histogram in a line of text.
func bars(h []stats.Bucket) string {
	levels, most := []rune("▁▂▃▄▅▆▇█"), 0.0
	for _, b := range h {
		most = max(most, float64(b.Count))
	}
	var out strings.Builder
	for _, b := range h {
		if b.Count == 0 {
			out.WriteByte('_')
		} else {
			out.WriteRune(levels[min(len(levels)-1, int(float64(b.Count)/most*float64(len(levels))))])
		}
	}
	return out.String()
}
