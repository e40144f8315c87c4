package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pipec.dev/pipec/runtime/data/stats"
)

func numbers(n int, value func(i int) float64) stats.Column {
	b := stats.NewBuilder("x", "", stats.Numeric, stats.NewBudget(1))
	for i := range n {
		b.Number(value(i))
	}
	return b.Column()
}

func TestNumbers(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name   string
		values []float64
		want   string
	}{
		{"none", nil, `{"name":"x","kind":"empty","count":0,"missing":0,"unique":0}`},
		{"all missing", []float64{nan, nan}, `{"name":"x","kind":"empty","count":0,"missing":2,"unique":0}`},
		{"one", []float64{3}, `{"name":"x","kind":"numeric","count":1,"missing":0,"unique":1,"numbers":{"mean":3,"deviation":null,"zeros":0,"min":3,` +
			`"median":3,"max":3,"quantiles":[3,3,3,3,3,3,3,3,3,3,3],"histogram":[{"low":3,"high":3,"count":1}],"points":[{"v":3,"n":1,"own":1}]}}`},
		{"infinite", []float64{inf, -inf, inf, nan}, `{"name":"x","kind":"numeric","count":3,"missing":1,"unique":2,"numbers":{"mean":null,` +
			`"deviation":null,"zeros":0,"min":null,"median":null,"max":null,"infinite":2,"negativeInfinite":1}}`},
	} {
		got, err := json.Marshal(numbers(len(c.values), func(i int) float64 { return c.values[i] }))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nexpected\n%s", c.name, err, got, c.want)
		}
	}
}

// TestExtremes checks numbers whose sums and differences are too large or too small.
func TestExtremes(t *testing.T) {
	c := numbers(4, func(i int) float64 {
		return []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)}[i]
	})
	total := 0.0
	for _, b := range c.Numbers.Histogram {
		if !(b.Low < b.High) {
			t.Errorf("bucket %v", b)
		}
		total += float64(b.Count)
	}
	if total != 4 || c.Unique != 4 || c.Numbers.Zeros != 1 {
		t.Errorf("%v in the histogram, %d unique, %d zeros", total, c.Unique, c.Numbers.Zeros)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}
}

// TestSketches: a column with more than a million numbers is estimated, and needs bounded memory.
func TestSketches(t *testing.T) {
	n := 2_500_000
	c := numbers(n, func(i int) float64 { return float64(i * 7 % n) }) // 7 is not a divisor: every number up to n, once
	if !c.Approximate || c.Count != int64(n) {
		t.Fatalf("approximate %v, count %d", c.Approximate, c.Count)
	}
	if e := math.Abs(float64(c.Unique)/float64(n) - 1); e > 0.02 {
		t.Errorf("%d unique, expected %d", c.Unique, n)
	}
	for i, q := range c.Numbers.Quantiles {
		if e := math.Abs(float64(q)/float64(n) - stats.Levels[i]); e > 0.002 {
			t.Errorf("quantile %v is %v", stats.Levels[i], q)
		}
	}
	for _, b := range c.Numbers.Histogram {
		if e := math.Abs(float64(b.Count)/float64(n) - 0.1); e > 0.002 {
			t.Errorf("bucket %v", b)
		}
	}
	few := numbers(1_100_000, func(i int) float64 { return float64(i % 100) })
	if few.Approximate || few.Unique != 100 || few.Numbers.Points[0].Count != 11_000 {
		t.Errorf("few different numbers: approximate %v, %d unique, %v", few.Approximate, few.Unique, few.Numbers.Points[0])
	}
}

// TestCategories: up to a million are exact. Of more, the frequent ones remain.
func TestCategories(t *testing.T) {
	for _, n := range []int{100_000, 1_150_000} {
		b := stats.NewBuilder("x", "", stats.Categorical, stats.NewBudget(1))
		r, random := rand.New(rand.NewPCG(1, 2)), []byte(nil)
		for i := range n {
			random = fmt.Appendf(random[:0], "%d", i)
			b.Text(random)
			if i%10 == 0 {
				b.Text([]byte(fmt.Sprint("top", r.IntN(2))))
			}
		}
		c := b.Column()
		want := int64(n) + 2
		if n < 1_000_000 {
			if c.Approximate || c.Unique != want || c.Top[0].Count+c.Top[1].Count != int64(n)/10 {
				t.Errorf("approximate %v, %d unique, top %v", c.Approximate, c.Unique, c.Top[:2])
			}
			continue
		}
		if !c.Approximate || math.Abs(float64(c.Unique)/float64(want)-1) > 0.02 || c.Top[0].Value[:3] != "top" || c.Top[1].Value[:3] != "top" {
			t.Errorf("approximate %v, %d unique, top %v", c.Approximate, c.Unique, c.Top[:2])
		}
	}
}
