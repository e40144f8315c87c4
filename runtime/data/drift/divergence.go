package drift

import (
	"math"
	"slices"

	"pipec.dev/pipec/runtime/data/stats"
)

// Overlay is two histograms with common buckets.
type Overlay struct {
	Edges []float64 `json:"edges"` // bucket i is from Edges[i] to Edges[i+1]
	A     []float64 `json:"a"`
	B     []float64 `json:"b"`
	// Points are the values of datasets in which all numbers are equal, which no bucket contains.
	Points []PointMass `json:"points,omitempty"`
}

// PointMass is how often a value occurs in a dataset in which all numbers are equal.
type PointMass struct {
	Value float64 `json:"value"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Overlaid returns the histograms of two numeric columns with the edges of both. The numbers of a bucket that is divided are
// distributed evenly.
func Overlaid(a, b *stats.Numbers) Overlay {
	var o Overlay
	for _, h := range [][]stats.Bucket{a.Histogram, b.Histogram} {
		for _, k := range h {
			if k.Low < k.High {
				o.Edges = append(o.Edges, float64(k.Low), float64(k.High))
			}
		}
	}
	slices.Sort(o.Edges)
	o.Edges = slices.Compact(o.Edges)
	o.A, o.B = divided(a.Histogram, o.Edges), divided(b.Histogram, o.Edges)
	add := func(h []stats.Bucket, add func(*PointMass, float64)) {
		if len(h) != 1 || h[0].Low != h[0].High {
			return
		}
		v := float64(h[0].Low)
		i := slices.IndexFunc(o.Points, func(p PointMass) bool { return p.Value == v })
		if i < 0 {
			i, o.Points = len(o.Points), append(o.Points, PointMass{Value: v})
		}
		add(&o.Points[i], float64(h[0].Count))
	}
	add(a.Histogram, func(p *PointMass, n float64) { p.A += n })
	add(b.Histogram, func(p *PointMass, n float64) { p.B += n })
	return o
}

// divided returns the counts of a histogram between edges, which contain its own.
func divided(h []stats.Bucket, edges []float64) []float64 {
	out := make([]float64, max(0, len(edges)-1))
	for _, k := range h {
		low, high := float64(k.Low), float64(k.High)
		if low == high {
			continue
		}
		i, _ := slices.BinarySearch(edges, low)
		for ; i < len(out) && edges[i] < high; i++ {
			out[i] += float64(k.Count) * (part(low, edges[i+1], high) - part(low, edges[i], high))
		}
	}
	return out
}

// jensenShannon returns the Jensen-Shannon divergence of the overlaid histograms, with the logarithm of base 2. Infinite numbers have
// two more buckets.
func jensenShannon(a, b *stats.Column) float64 {
	o := Overlaid(a.Numbers, b.Numbers)
	p, q := o.A, o.B
	for _, m := range o.Points {
		p, q = append(p, m.A), append(q, m.B)
	}
	p = append(p, float64(a.Numbers.NegInfinite), float64(a.Numbers.Infinite))
	q = append(q, float64(b.Numbers.NegInfinite), float64(b.Numbers.Infinite))
	return divergence(p, q)
}

// divergence returns (D(P||M) + D(Q||M)) / 2, where M is (P+Q)/2 and D the Kullback-Leibler divergence of base 2.
func divergence(p, q []float64) float64 {
	sumP, sumQ := 0.0, 0.0
	for i := range p {
		sumP, sumQ = sumP+p[i], sumQ+q[i]
	}
	d := 0.0
	for i := range p {
		x, y := p[i]/sumP, q[i]/sumQ
		m := (x + y) / 2
		if x > 0 {
			d += x * math.Log2(x/m)
		}
		if y > 0 {
			d += y * math.Log2(y/m)
		}
	}
	return max(0, min(1, d/2))
}
