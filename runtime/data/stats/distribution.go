package stats

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/caio/go-tdigest/v4"
)

// Buckets is the number of buckets of a histogram, as in TensorFlow Data Validation.
const Buckets = 10

// keptPoints is how many different numbers are all kept. Of more, as many are kept at equal distances of rank, and byValue at equal
// distances of value, for what is far away and rare.
const (
	keptPoints = 1000
	byValue    = 500
)

// distribution is the distribution of finite numbers.
type distribution interface {
	quantile(q float64) float64
	below(v float64) float64 // how many numbers are less than v
}

// exact is the distribution of numbers that are all known.
type exact struct {
	runs []run
	upTo []int64 // how many numbers are at most runs[i].value
}

func newExact(runs []run) *exact {
	e := &exact{runs: runs, upTo: make([]int64, len(runs))}
	total := int64(0)
	for i, r := range runs {
		total += r.n
		e.upTo[i] = total
	}
	return e
}

// at returns the number at a rank, counted from 0.
func (e *exact) at(rank int64) float64 {
	return e.runs[sort.Search(len(e.upTo), func(i int) bool { return e.upTo[i] > rank })].value
}

func (e *exact) quantile(q float64) float64 {
	last := e.upTo[len(e.upTo)-1] - 1
	rank := q * float64(last)
	low := min(int64(rank), last)
	a, b := e.at(low), e.at(min(low+1, last))
	if a == b {
		return a
	}
	f := rank - float64(low)
	return a*(1-f) + b*f
}

func (e *exact) below(v float64) float64 {
	i := sort.Search(len(e.runs), func(i int) bool { return e.runs[i].value >= v })
	if i == 0 {
		return 0
	}
	return float64(e.upTo[i-1])
}

func (e *exact) points() (points []Point) {
	if len(e.runs) <= keptPoints {
		for i := range e.runs {
			points = append(points, e.point(i))
		}
		return points
	}
	chosen := make([]int, 0, keptPoints+byValue)
	last := e.upTo[len(e.upTo)-1] - 1
	for k := range keptPoints {
		rank := int64(math.Round(float64(k) / (keptPoints - 1) * float64(last)))
		chosen = append(chosen, sort.Search(len(e.upTo), func(i int) bool { return e.upTo[i] > rank }))
	}
	least, most := e.runs[0].value, e.runs[len(e.runs)-1].value
	for k := range byValue {
		v := between(least, most, float64(k)/byValue)
		chosen = append(chosen, sort.Search(len(e.runs)-1, func(i int) bool { return e.runs[i].value >= v }))
	}
	slices.Sort(chosen)
	for _, i := range slices.Compact(chosen) {
		points = append(points, e.point(i))
	}
	return points
}

func (e *exact) point(i int) Point {
	return Point{Float(e.runs[i].value), Float(e.upTo[i]), Float(e.runs[i].n)}
}

// between returns the number that is a fraction of the way from one number to another.
func between(a, b, f float64) float64 {
	if d := b - a; !math.IsInf(d, 0) {
		return a + f*d
	}
	return a*(1-f) + b*f
}

// estimate is the distribution that a sketch knows.
type estimate struct {
	digest      *tdigest.TDigest
	n, min, max float64
}

func (e *estimate) quantile(q float64) float64 {
	switch q {
	case 0:
		return e.min
	case 1:
		return e.max
	}
	return max(e.min, min(e.max, e.digest.Quantile(q)))
}

func (e *estimate) below(v float64) float64 {
	switch {
	case v <= e.min:
		return 0
	case v > e.max:
		return e.n
	}
	return max(0, min(1, e.digest.CDF(v))) * e.n
}

func (e *estimate) points() (points []Point) {
	all := make([]Point, 0, keptPoints+byValue)
	for k := range keptPoints {
		q := float64(k) / (keptPoints - 1)
		all = append(all, Point{Float(e.quantile(q)), Float(max(1, q*e.n)), 0})
	}
	for k := 1; k < byValue; k++ {
		v := between(e.min, e.max, float64(k)/byValue)
		all = append(all, Point{Float(v), Float(max(1, e.below(v))), 0})
	}
	slices.SortFunc(all, func(a, b Point) int { return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Count, b.Count)) })
	for _, p := range all {
		n := len(points)
		if n > 0 {
			p.Count = max(p.Count, points[n-1].Count) // the estimates may contradict each other
		}
		if n > 0 && points[n-1].Value == p.Value {
			points[n-1] = p
		} else {
			points = append(points, p)
		}
	}
	return points
}

// histogram counts the n numbers between least and most in buckets of equal width.
func histogram(d distribution, least, most, n float64) []Bucket {
	if least == most {
		return []Bucket{{Float(least), Float(most), Float(n)}}
	}
	edge := func(i int) float64 { return between(least, most, float64(i)/Buckets) }
	var out []Bucket
	low, before := least, 0.0
	for i := range Buckets {
		high, upTo := edge(i+1), n
		if i == Buckets-1 {
			high = most
		} else {
			upTo = max(before, d.below(high))
		}
		if high > low || i == Buckets-1 { // between neighbours there is no number for an edge
			out = append(out, Bucket{Float(low), Float(high), Float(upTo - before)})
			low, before = high, upTo
		}
	}
	return out
}
