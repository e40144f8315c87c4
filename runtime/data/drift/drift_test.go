package drift_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/data/drift"
	"pipec.dev/pipec/runtime/data/stats"
)

func table(kind stats.Kind, add func(*stats.Builder)) *stats.Table {
	b := stats.NewBuilder("x", "", kind, stats.NewBudget(1))
	add(b)
	c := b.Column()
	return &stats.Table{Rows: c.Count + c.Missing, Columns: []stats.Column{c}}
}

func numbers(values []float64) *stats.Table {
	return table(stats.Numeric, func(b *stats.Builder) {
		for _, v := range values {
			b.Number(v)
		}
	})
}

// TestProperties: distances are 0 for equal data, finite, bounded, and do not depend on what is compared with what.
func TestProperties(t *testing.T) {
	value := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-3, 3), rapid.Map(rapid.IntRange(-2, 2), func(i int) float64 { return float64(i) }),
		rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 5e-324, -5e-324}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers(rapid.SliceOf(value).Draw(t, "a")), numbers(rapid.SliceOf(value).Draw(t, "b"))
		for m, d := range drift.Compare(a, a, nil).Features[0].Distances {
			if d != 0 {
				t.Fatalf("%s of equal data is %v", m, d)
			}
		}
		ab, ba := drift.Compare(a, b, nil), drift.Compare(b, a, nil)
		for m, d := range ab.Features[0].Distances {
			if !(d >= 0) || math.IsInf(d, 0) || m != drift.Wasserstein && d > 1 {
				t.Fatalf("%s is %v", m, d)
			}
			if back := ba.Features[0].Distances[m]; m != drift.Wasserstein && math.Abs(back-d) > 1e-9 {
				t.Fatalf("%s is %v, and %v in the other direction", m, d, back)
			}
		}
		if _, err := json.Marshal(ab); err != nil {
			t.Fatal(err)
		}
	})
}

func TestKinds(t *testing.T) {
	words := func(words ...string) *stats.Table {
		return table(stats.Categorical, func(b *stats.Builder) {
			for _, w := range words {
				b.Text([]byte(w))
			}
		})
	}
	for _, c := range []struct {
		name    string
		a, b    *stats.Table
		changed bool
		want    map[string]float64
	}{
		{"far apart", numbers([]float64{1, 2}), numbers([]float64{8, 9}), false, map[string]float64{"js": 1, "ks": 1, "wasserstein": 7 / math.Sqrt(0.5), "missing": 0}},
		{"constants", numbers([]float64{1, 1}), numbers([]float64{2}), false, map[string]float64{"js": 1, "ks": 1, "wasserstein": 1, "missing": 0}},
		{"the same constant", numbers([]float64{1, 1}), numbers([]float64{1}), false, map[string]float64{"js": 0, "ks": 0, "wasserstein": 0, "missing": 0}},
		{"no values", numbers([]float64{1}), numbers([]float64{math.NaN()}), false, map[string]float64{"js": 1, "ks": 1, "missing": 1}},
		{"too far apart", numbers([]float64{0, 1}), numbers([]float64{math.MaxFloat64}), false,
			map[string]float64{"js": 1, "ks": 1, "wasserstein": math.MaxFloat64, "missing": 0}},
		{"infinite", numbers([]float64{math.Inf(1), 0}), numbers([]float64{math.Inf(-1), 0}), false, map[string]float64{"js": 0.5, "ks": 0.5, "wasserstein": 0, "missing": 0}},
		{"words", words("a", "a", "b", "c"), words("a", "b", "d", "d"), false, map[string]float64{"linf": 0.5, "missing": 0}},
		{"other kinds", words("a"), numbers([]float64{1}), true, map[string]float64{"missing": 0}},
	} {
		f := drift.Compare(c.a, c.b, nil).Features[0]
		if f.Changed() != c.changed || len(f.Distances) != len(c.want) {
			t.Errorf("%s: changed %v, %v", c.name, f.Changed(), f.Distances)
		}
		for m, d := range c.want {
			if got, ok := f.Distances[m]; !ok || math.Abs(got-d) > 1e-12 {
				t.Errorf("%s: %s is %v, expected %v", c.name, m, got, d)
			}
		}
	}
}

func TestColumns(t *testing.T) {
	col := func(names ...string) *stats.Table {
		t := &stats.Table{}
		for _, n := range names {
			t.Columns = append(t.Columns, stats.Column{Name: n, Kind: stats.Empty})
		}
		return t
	}
	c := drift.Compare(col("x", "x", "x.1", "a"), col("x", "b", "x"), nil)
	if len(c.Features) != 2 || len(c.OnlyA) != 2 || len(c.OnlyB) != 1 || c.OnlyB[0] != "b" {
		t.Errorf("%+v", c)
	}
}

func TestOverlaid(t *testing.T) {
	a, b := numbers([]float64{0, 10}), numbers([]float64{5, 15})
	o := drift.Overlaid(a.Columns[0].Numbers, b.Columns[0].Numbers)
	sum := func(v []float64) (s float64) {
		for _, x := range v {
			s += x
		}
		return s
	}
	if o.Edges[0] != 0 || o.Edges[len(o.Edges)-1] != 15 || math.Abs(sum(o.A)-2) > 1e-12 || math.Abs(sum(o.B)-2) > 1e-12 || len(o.A) != len(o.Edges)-1 {
		t.Errorf("%+v", o)
	}
}
