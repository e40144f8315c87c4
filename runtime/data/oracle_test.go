package data_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pipec.dev/pipec/runtime/data"
	"pipec.dev/pipec/runtime/data/drift"
	"pipec.dev/pipec/runtime/data/stats"
)

// expectation is what testdata/oracle.py writes.
type expectation struct {
	Columns map[string][2]struct {
		Count, Missing, Unique, Zeros int64
		Mean, Deviation, Min, Max     *float64
		Quantiles                     []float64
		Histogram                     []int64
		Top                           [][2]any
	}
	Pairs map[string]map[string]float64
	LInf  map[string]float64
}

// TestOracle compares with pandas, numpy and scipy.
func TestOracle(t *testing.T) {
	python := ""
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(p, "-c", "import pandas, scipy").Run() == nil {
			python = p
			break
		}
	}
	if python == "" {
		t.Skip("no python3 has pandas and scipy")
	}
	for seed := range 2 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { oracle(t, python, seed) })
	}
}

func oracle(t *testing.T, python string, seed int) {
	dir := t.TempDir()
	if out, err := exec.Command(python, "testdata/oracle.py", dir, fmt.Sprint(seed)).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want expectation
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	var sets [2]*stats.Table
	for i, name := range []string{"a", "b"} {
		d, err := data.File(t.Context(), filepath.Join(dir, name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		sets[i] = d.Table
		if len(d.Table.Columns) != len(want.Columns) {
			t.Fatalf("%d columns, expected %d", len(d.Table.Columns), len(want.Columns))
		}
		for _, c := range d.Table.Columns {
			w := want.Columns[c.Name][i]
			if c.Count != w.Count || c.Missing != w.Missing || c.Unique != w.Unique {
				t.Errorf("%s: count %d, missing %d, unique %d; expected %d, %d, %d", c.Name, c.Count, c.Missing, c.Unique, w.Count, w.Missing, w.Unique)
			}
			for k, v := range w.Top {
				if k >= len(c.Top) || c.Top[k].Value != v[0] || float64(c.Top[k].Count) != v[1] {
					t.Errorf("%s: top %v, expected %v", c.Name, c.Top[:min(len(c.Top), 10)], w.Top)
					break
				}
			}
			if c.Numbers == nil || w.Min == nil {
				continue
			}
			n := c.Numbers
			if n.Zeros != w.Zeros {
				t.Errorf("%s: %d zeros, expected %d", c.Name, n.Zeros, w.Zeros)
			}
			scale := math.Max(math.Abs(*w.Min), math.Abs(*w.Max))
			near(t, c.Name+" mean", float64(n.Mean), *w.Mean, 1e-12*scale)
			near(t, c.Name+" min", float64(n.Min), *w.Min, 0)
			near(t, c.Name+" max", float64(n.Max), *w.Max, 0)
			// The square of a very small number is 0, in numpy too.
			if w.Deviation != nil && *w.Deviation > 1e-150 {
				near(t, c.Name+" deviation", float64(n.Deviation), *w.Deviation, 1e-6**w.Deviation)
			}
			for k, q := range w.Quantiles {
				near(t, fmt.Sprintf("%s quantile %v", c.Name, stats.Levels[k]), float64(n.Quantiles[k]), q, 1e-12*scale)
			}
			if len(n.Histogram) != len(w.Histogram) {
				t.Errorf("%s: %d buckets, expected %d", c.Name, len(n.Histogram), len(w.Histogram))
				continue
			}
			for k, b := range n.Histogram {
				near(t, fmt.Sprintf("%s bucket %d", c.Name, k), float64(b.Count), float64(w.Histogram[k]), 0)
			}
		}
	}
	c := drift.Compare(sets[0], sets[1], nil)
	checked := 0
	for _, f := range c.Features {
		for m, v := range want.Pairs[f.Column] {
			// A distribution of more than 1,000 different numbers is kept as some of its points.
			tolerance := map[string]float64{drift.JS: 1e-9, drift.KS: 2e-3, drift.Wasserstein: 0.02 * v}[m]
			if len(f.Column) == 3 || f.Column == "steps" { // few different numbers
				tolerance = 1e-9
			}
			if f.Column == "large" && m == drift.JS { // the edges of the buckets are rounded
				tolerance = 1e-3 * v
			}
			near(t, f.Column+" "+m, f.Distances[m], v, tolerance)
			checked++
		}
		if v, ok := want.LInf[f.Column]; ok {
			near(t, f.Column+" linf", f.Distances[drift.LInf], v, 1e-12)
			checked++
		}
	}
	if checked != 3*len(want.Pairs)+len(want.LInf) {
		t.Errorf("%d distances were compared", checked)
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}
