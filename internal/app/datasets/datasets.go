// Package datasets compares two datasets, each of which is an output of a run or a local file. The distances are computed by
// runtime/data/drift. This package finds the datasets, and judges the distances by the thresholds of the user.
package datasets

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/data"
	"pipec.dev/pipec/runtime/data/drift"
	"pipec.dev/pipec/runtime/data/stats"
	"pipec.dev/pipec/runtime/data/tables"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/paths"
)

// Request names the datasets to compare.
type Request struct {
	A, B     string             // files, or addresses of outputs
	Pipeline string             // of the runs
	Columns  []string           // only these; empty: all
	Above    map[string]float64 // thresholds by measure; nil: those of drift.Marks, which only mark
	// Records opens the records of runs. It is not called if both datasets are files. The caller closes them.
	Records func() (*records.Records, error)
}

// ParseAbove reads thresholds of the form MEASURE=NUMBER.
func ParseAbove(texts []string) (map[string]float64, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	out := make(map[string]float64, len(texts))
	for _, text := range texts {
		name, number, _ := strings.Cut(text, "=")
		limit, err := strconv.ParseFloat(number, 64)
		switch {
		case !slices.Contains(drift.Measures(), name):
			f := fault.Usagef("--fail-above: expected MEASURE=NUMBER, found %q", text)
			if near := diag.Suggest(name, drift.Measures()); near != "" {
				f = fault.Usagef("--fail-above: there is no measure %q; did you mean %q?", name, near)
			}
			return nil, f.WithHint("The measures are %s.", strings.Join(drift.Measures(), ", "))
		case err != nil, !(limit >= 0), math.IsInf(limit, 0):
			return nil, fault.Usagef("--fail-above: expected a number of at least 0 after %s=, found %q", name, number)
		}
		out[name] = limit
	}
	return out, nil
}

// Compare compares two datasets.
func Compare(ctx context.Context, r *Request) (*drift.Comparison, error) {
	a, err := r.table(ctx, r.A)
	if err != nil {
		return nil, err
	}
	b, err := r.table(ctx, r.B)
	if err != nil {
		return nil, err
	}
	if a, b, err = r.selected(a, b); err != nil {
		return nil, err
	}
	above := r.Above
	if above == nil {
		above = drift.Marks()
	}
	return drift.Compare(a, b, above), nil
}

// Judge returns a fault if a distance is above the thresholds of the user, or the values of a column can't be compared.
func Judge(r *Request, c *drift.Comparison) error {
	if r.Above == nil {
		return nil
	}
	var reasons []string
	for i := range c.Features {
		f := &c.Features[i]
		if f.Changed() {
			reasons = append(reasons, strconv.Quote(f.Column)+" is "+string(f.Kind)+" in A and "+string(f.Other)+" in B")
		}
		for _, m := range f.Above {
			reasons = append(reasons, strconv.Quote(f.Column)+" has "+m+" "+Number(f.Distances[m])+", above "+Number(r.Above[m]))
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	const most = 10
	text := strings.Join(reasons[:min(len(reasons), most)], "; ")
	if n := len(reasons) - most; n > 0 {
		text += "; and " + strconv.Itoa(n) + " more"
	}
	return fault.Userf("the datasets differ: %s", text)
}

// Number returns a distance as people read it.
func Number(d float64) string { return strconv.FormatFloat(d, 'g', 4, 64) }

// IsFile reports whether a dataset is a local file, and not the address of an output: it has the extension of a dataset, or starts
// like a path.
func IsFile(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".parquet", ".npy":
		return true
	}
	return filepath.IsAbs(name) || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../")
}

func (r *Request) table(ctx context.Context, name string) (*stats.Table, error) {
	d, err := r.describe(ctx, name)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Problem != "":
		return nil, fault.Userf("%s: %s", name, d.Problem)
	case d.Table == nil:
		return nil, fault.Usagef("%s: expected a dataframe or an ndarray, found %s", name, d.Type)
	}
	return d.Table, nil
}

func (r *Request) describe(ctx context.Context, name string) (*data.Description, error) {
	if IsFile(name) {
		d, err := data.File(ctx, name)
		var invalid *tables.Error
		switch {
		case errors.As(err, &invalid):
			return nil, fault.As(fault.User, err)
		case errors.Is(err, os.ErrNotExist):
			return nil, fault.Usagef("there is no file %s", name)
		}
		return d, fault.Env(err)
	}
	rec, err := r.Records()
	if err != nil {
		return nil, err
	}
	name = paths.Form(name)
	d, err := rec.Describe(ctx, r.Pipeline, "", name)
	if run, path, ok := strings.Cut(name, "/"); err != nil && ok && fault.KindOf(err) == fault.Usage {
		var none *runs.NotFoundError
		if other, err := rec.Describe(ctx, r.Pipeline, run, path); !errors.As(err, &none) {
			return other, err
		}
	}
	return d, err
}

// selected returns the tables with the columns that the user has chosen. Each must be in both.
func (r *Request) selected(a, b *stats.Table) (*stats.Table, *stats.Table, error) {
	if len(r.Columns) == 0 {
		return a, b, nil
	}
	var out [2]*stats.Table
	for i, t := range []*stats.Table{a, b} {
		out[i] = &stats.Table{Rows: t.Rows}
		for _, name := range r.Columns {
			at := slices.IndexFunc(t.Columns, func(c stats.Column) bool { return c.Name == name })
			if at < 0 {
				return nil, nil, r.noColumn(t, []string{r.A, r.B}[i], name)
			}
			out[i].Columns = append(out[i].Columns, t.Columns[at])
		}
	}
	return out[0], out[1], nil
}

func (r *Request) noColumn(t *stats.Table, dataset, name string) error {
	var have []string
	for i := range t.Columns {
		have = append(have, t.Columns[i].Name)
	}
	near := ""
	if s := diag.Suggest(name, have); s != "" {
		near = "; did you mean " + strconv.Quote(s) + "?"
	}
	return fault.Userf("--columns: %s has no column %q%s", dataset, name, near)
}
