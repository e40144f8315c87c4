package stats

import (
	"math"
	"sort"

	"github.com/caio/go-tdigest/v4"
)

// Buckets is the number of buckets of a histogram, as in TensorFlow Data Validation.
const Buckets = 10

// keptPoints is how many points of a distribution are kept.
const keptPoints = 1000

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

func (e *exact) points() (points []Point, every bool) {
	if len(e.runs) <= keptPoints {
		for i, r := range e.runs {
			points = append(points, Point{Float(r.value), Float(e.upTo[i])})
		}
		return points, true
	}
	last := e.upTo[len(e.upTo)-1] - 1
	for k := range int64(keptPoints) {
		rank := int64(math.Round(float64(k) / (keptPoints - 1) * float64(last)))
		i := sort.Search(len(e.upTo), func(i int) bool { return e.upTo[i] > rank })
		p := Point{Float(e.runs[i].value), Float(e.upTo[i])}
		if n := len(points); n == 0 || points[n-1].Value != p.Value {
			points = append(points, p)
		}
	}
	return points, false
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
	for k := range keptPoints {
		q := float64(k) / (keptPoints - 1)
		p := Point{Float(e.quantile(q)), Float(max(1, q*e.n))}
		n := len(points)
		switch {
		case n > 0 && points[n-1].Value == p.Value:
			points[n-1].Count = p.Count
		case n == 0 || points[n-1].Value < p.Value:
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
	edge := func(i int) float64 { // without an overflow
		f := float64(i) / Buckets
		return least*(1-f) + most*f
	}
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
