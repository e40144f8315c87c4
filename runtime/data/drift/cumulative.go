package drift

import (
	"math"
	"slices"
	"sort"

	"pipec.dev/pipec/runtime/data/stats"
)

// cumulative is a distribution function. It is a step at each point, and a line between two points.
type cumulative struct {
	points              []stats.Point
	below, above, total float64 // the infinite numbers, and all
}

func newCumulative(n *stats.Numbers) cumulative {
	c := cumulative{points: n.Points, below: float64(n.NegInfinite), above: float64(n.Infinite)}
	c.total = c.below + c.above
	if len(c.points) > 0 {
		c.total += float64(c.points[len(c.points)-1].Count)
	}
	return c
}

// at returns the share of the numbers that are at most v, or, with left, that are less than v.
func (c *cumulative) at(v float64, left bool) float64 {
	i := sort.Search(len(c.points), func(i int) bool { // the first point that is beyond
		p := float64(c.points[i].Value)
		return p > v || left && p == v
	})
	if i == 0 {
		return c.below / c.total
	}
	n := float64(c.points[i-1].Count)
	if i < len(c.points) {
		low, high := float64(c.points[i-1].Value), float64(c.points[i].Value)
		if others := float64(c.points[i].Count-c.points[i].Own) - n; v > low && others > 0 {
			n += others * part(low, v, high)
		}
	}
	return (c.below + n) / c.total
}

// part returns the part of the way from low to high that v is at. It can't overflow. Between neighbours it is 1.
func part(low, v, high float64) float64 {
	if v == low {
		return 0
	}
	if f := (v/2 - low/2) / (high/2 - low/2); f >= 0 && f <= 1 {
		return f
	}
	return 1
}

// values returns the numbers at which one of the functions has a point.
func values(a, b *cumulative) []float64 {
	out := make([]float64, 0, len(a.points)+len(b.points))
	for _, c := range []*cumulative{a, b} {
		for _, p := range c.points {
			out = append(out, float64(p.Value))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// kolmogorovSmirnov returns the largest difference of the two distribution functions.
func kolmogorovSmirnov(a, b *stats.Numbers) float64 {
	x, y := newCumulative(a), newCumulative(b)
	most := max(math.Abs(x.below/x.total-y.below/y.total), math.Abs(x.above/x.total-y.above/y.total))
	for _, v := range values(&x, &y) {
		most = max(most, math.Abs(x.at(v, false)-y.at(v, false)), math.Abs(x.at(v, true)-y.at(v, true)))
	}
	return min(1, most)
}

// wasserstein returns the area between the distribution functions of the finite numbers, divided by the standard deviation of A. If
// that is 0, it is divided by the deviation of B. If both are 0, the distance is 0 for the same number, and else 1. It returns NaN
// if one has no finite numbers.
func wasserstein(a, b *stats.Numbers) float64 {
	x, y := newCumulative(a), newCumulative(b)
	if len(x.points) == 0 || len(y.points) == 0 {
		return math.NaN()
	}
	for _, c := range []*cumulative{&x, &y} {
		c.total -= c.below + c.above
		c.below, c.above = 0, 0
	}
	scale := float64(a.Deviation)
	if !(scale > 0) {
		scale = float64(b.Deviation)
	}
	if !(scale > 0) {
		if x.points[0].Value == y.points[0].Value {
			return 0
		}
		return 1
	}
	if math.IsInf(scale, 0) {
		return math.NaN()
	}
	area, all := 0.0, values(&x, &y)
	for i := range len(all) - 1 {
		// Between two points, each function is a step or a line.
		from, to := x.at(all[i], false)-y.at(all[i], false), x.at(all[i+1], true)-y.at(all[i+1], true)
		width := min(math.MaxFloat64, all[i+1]/scale-all[i]/scale)
		if from*to >= 0 {
			area += width * (math.Abs(from) + math.Abs(to)) / 2
		} else { // they cross
			area += width * (from*from + to*to) / (2 * math.Abs(from-to))
		}
	}
	return min(math.MaxFloat64, area)
}
