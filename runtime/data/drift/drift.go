// Package drift compares two datasets by the statistics of their columns: how far the two distributions of each feature are
// apart. docs/how-to/data-drift.md has the formulas.
package drift

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"pipec.dev/pipec/runtime/data/stats"
)

// The measures of distance. All are 0 for equal distributions.
const (
	LInf        = "linf"        // categorical and boolean columns: L-infinity, 0 to 1
	JS          = "js"          // numeric columns and dates: Jensen-Shannon divergence, base 2, 0 to 1
	KS          = "ks"          // numeric columns and dates: Kolmogorov-Smirnov, 0 to 1
	Wasserstein = "wasserstein" // numeric columns and dates: Wasserstein distance, divided by the standard deviation of A
	Missing     = "missing"     // all columns: the difference of the shares of missing values, 0 to 1
)

// Measures returns the names of the measures.
func Measures() []string { return []string{JS, KS, LInf, Missing, Wasserstein} }

// Marks returns the thresholds above which a feature is marked as drifted, unless the user sets others.
func Marks() map[string]float64 {
	return map[string]float64{LInf: 0.1, JS: 0.1, KS: 0.1, Wasserstein: 0.1, Missing: 0.1}
}

// Feature compares a column of A with the column of B of the same name.
type Feature struct {
	Column    string             `json:"column"`
	Kind      stats.Kind         `json:"kind"`            // of A
	Other     stats.Kind         `json:"kindB,omitempty"` // of B, if it differs
	Distances map[string]float64 `json:"distances"`
	Above     []string           `json:"above,omitempty"` // the measures above their thresholds
	A         stats.Column       `json:"a"`
	B         stats.Column       `json:"b"`
}

// Changed reports whether the kinds differ, so that the values can't be compared.
func (f *Feature) Changed() bool {
	return f.Other != "" && f.Kind != stats.Empty && f.Other != stats.Empty
}

// Order returns the distance by which features are sorted: JS or L-infinity.
func (f *Feature) Order() float64 {
	if f.Changed() {
		return math.Inf(1)
	}
	return max(f.Distances[JS], f.Distances[LInf])
}

// Comparison compares two datasets.
type Comparison struct {
	RowsA    int64     `json:"rowsA"`
	RowsB    int64     `json:"rowsB"`
	Features []Feature `json:"features"` // the largest distance first
	OnlyA    []string  `json:"onlyA,omitempty"`
	OnlyB    []string  `json:"onlyB,omitempty"`
}

// Compare compares two datasets. above has thresholds by measure.
func Compare(a, b *stats.Table, above map[string]float64) *Comparison {
	c := &Comparison{RowsA: a.Rows, RowsB: b.Rows, Features: []Feature{}}
	left, right := named(a), named(b)
	others := make(map[string]*stats.Column, len(right))
	for i := range right {
		others[right[i].Name] = &right[i]
	}
	for i := range left {
		other := others[left[i].Name]
		if other == nil {
			c.OnlyA = append(c.OnlyA, left[i].Name)
			continue
		}
		delete(others, left[i].Name)
		c.Features = append(c.Features, feature(&left[i], other, above))
	}
	for i := range right {
		if others[right[i].Name] != nil {
			c.OnlyB = append(c.OnlyB, right[i].Name)
		}
	}
	slices.SortStableFunc(c.Features, func(x, y Feature) int { return cmp.Compare(y.Order(), x.Order()) })
	return c
}

// named returns the columns with names that are unique: the second "x" is "x.1", as pandas names it.
func named(t *stats.Table) []stats.Column {
	out := slices.Clone(t.Columns)
	used := make(map[string]bool, len(out))
	for i := range out {
		used[out[i].Name] = true
	}
	seen := make(map[string]int, len(out))
	for i := range out {
		name := out[i].Name
		n := seen[name]
		if n > 0 {
			for used[fmt.Sprintf("%s.%d", name, n)] {
				n++
			}
			out[i].Name = fmt.Sprintf("%s.%d", name, n)
			used[out[i].Name] = true
		}
		seen[name] = n + 1
	}
	return out
}

func feature(a, b *stats.Column, above map[string]float64) Feature {
	f := Feature{Column: a.Name, Kind: a.Kind, Distances: distances(a, b), A: a.Brief(), B: b.Brief()}
	if a.Kind != b.Kind {
		f.Other = b.Kind
	}
	for _, m := range Measures() {
		limit, limited := above[m]
		if d, ok := f.Distances[m]; ok && limited && d > limit {
			f.Above = append(f.Above, m)
		}
	}
	return f
}

// distances returns the distances that are defined for two columns.
func distances(a, b *stats.Column) map[string]float64 {
	out := map[string]float64{Missing: math.Abs(missing(a) - missing(b))}
	kind := a.Kind
	if kind == stats.Empty {
		kind = b.Kind
	}
	switch {
	case kind == stats.Unsupported, kind == stats.Empty:
	case a.Kind == stats.Empty || b.Kind == stats.Empty: // one has values, and the other has none
		if kind == stats.Numeric || kind == stats.Date {
			out[JS], out[KS] = 1, 1
		} else {
			out[LInf] = 1
		}
	case a.Kind != b.Kind:
	case kind == stats.Numeric || kind == stats.Date:
		out[JS], out[KS] = jensenShannon(a, b), kolmogorovSmirnov(a.Numbers, b.Numbers)
		if w := wasserstein(a.Numbers, b.Numbers); !math.IsNaN(w) {
			out[Wasserstein] = w
		}
	default:
		out[LInf] = lInfinity(a, b)
	}
	return out
}

func missing(c *stats.Column) float64 {
	if c.Count+c.Missing == 0 {
		return 0
	}
	return float64(c.Missing) / float64(c.Count+c.Missing)
}

// lInfinity returns the largest difference of the shares of a value.
func lInfinity(a, b *stats.Column) float64 {
	shares := make(map[string]float64, len(a.Top)+len(b.Top))
	for _, v := range a.Top {
		shares[v.Value] += float64(v.Count) / float64(a.Count)
	}
	for _, v := range b.Top {
		shares[v.Value] -= float64(v.Count) / float64(b.Count)
	}
	most := 0.0
	for _, d := range shares {
		most = max(most, math.Abs(d))
	}
	return most
}
