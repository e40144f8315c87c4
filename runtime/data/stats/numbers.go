package stats

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/axiomhq/hyperloglog"
	"github.com/caio/go-tdigest/v4"
)

// numbers collects numbers. Those of a block are sorted when it is full. As long as there are few different ones, their counts
// remain exact; else each further block becomes part of a t-digest.
type numbers struct {
	block  []float64
	limit  int
	runs   []run // what is known exactly of the earlier blocks
	digest *tdigest.TDigest
	seen   *hyperloglog.Sketch
	n      int64 // finite numbers

	mean, squares  float64 // Welford's method, of the differences to shift
	shift          float64 // the first number, so that few digits are lost where all numbers are large
	min, max       float64
	zeros          int64
	infinite, ninf int64
}

type run struct {
	value float64
	n     int64
}

func newNumbers(limit int) numbers {
	return numbers{limit: limit, min: math.Inf(1), max: math.Inf(-1)}
}

func (x *numbers) add(v float64) {
	if math.IsInf(v, 0) {
		if v > 0 {
			x.infinite++
		} else {
			x.ninf++
		}
		return
	}
	if v == 0 {
		v = 0 // not -0
		x.zeros++
	}
	if x.n == 0 {
		x.shift = v
	}
	x.n++
	shifted := v - x.shift
	d := shifted - x.mean
	x.mean += d / float64(x.n)
	x.squares += d * (shifted - x.mean)
	x.min, x.max = min(x.min, v), max(x.max, v)
	if len(x.block) == x.limit {
		x.flush()
	}
	x.block = append(x.block, v)
}

// flush empties the block.
func (x *numbers) flush() {
	slices.Sort(x.block)
	runs := merge(x.runs, x.block)
	x.block, x.runs = x.block[:0], nil
	if x.digest == nil && len(runs) <= x.limit/4 {
		x.runs = runs
		return
	}
	x.sketch(runs)
}

// sketch adds runs to the sketches.
func (x *numbers) sketch(runs []run) {
	if x.digest == nil {
		x.digest, _ = tdigest.New(tdigest.Compression(1000)) // an error means an invalid option
		x.seen = hyperloglog.New16()
	}
	var key [8]byte
	total := int64(0)
	for _, r := range runs {
		binary.LittleEndian.PutUint64(key[:], math.Float64bits(r.value))
		x.seen.Insert(key[:])
		total += r.n
	}
	// A part of a block that is smaller than the resolution of the digest is added as its mean.
	size := total/8192 + 1
	var sum float64
	var n int64
	for i, r := range runs {
		sum += r.value * float64(r.n)
		n += r.n
		if n >= size || i == len(runs)-1 {
			if mean := sum / float64(n); !math.IsInf(mean, 0) {
				_ = x.digest.AddWeighted(mean, uint64(n)) // fails only for values that are not finite
			} else {
				_ = x.digest.AddWeighted(r.value, uint64(n))
			}
			sum, n = 0, 0
		}
	}
}

// merge adds sorted numbers to sorted runs.
func merge(runs []run, sorted []float64) []run {
	if len(runs) == 0 {
		runs = nil
	}
	out := make([]run, 0, len(runs)+256)
	i := 0
	push := func(r run) {
		if k := len(out) - 1; k >= 0 && out[k].value == r.value {
			out[k].n += r.n
			return
		}
		out = append(out, r)
	}
	for _, v := range sorted {
		for i < len(runs) && runs[i].value <= v {
			push(runs[i])
			i++
		}
		push(run{v, 1})
	}
	for ; i < len(runs); i++ {
		push(runs[i])
	}
	return out
}

func (x *numbers) done() (out *Numbers, unique int64, approximate bool) {
	out = &Numbers{Zeros: x.zeros, Infinite: x.infinite, NegInfinite: x.ninf}
	nan := Float(math.NaN())
	out.Mean, out.Deviation, out.Min, out.Median, out.Max = nan, nan, nan, nan, nan
	if x.infinite > 0 {
		unique++
	}
	if x.ninf > 0 {
		unique++
	}
	if x.n == 0 {
		return out, unique, false
	}
	out.Mean, out.Min, out.Max = Float(x.shift+x.mean), Float(x.min), Float(x.max)
	if x.n > 1 {
		out.Deviation = Float(math.Sqrt(max(x.squares, 0) / float64(x.n-1)))
	}
	var d distribution
	if x.digest == nil {
		slices.Sort(x.block)
		exact := newExact(merge(x.runs, x.block))
		unique += int64(len(exact.runs))
		d = exact
		out.Points = exact.points()
	} else {
		if len(x.block) > 0 {
			x.flush()
		}
		est := &estimate{x.digest, float64(x.n), x.min, x.max}
		unique += min(int64(x.seen.Estimate()), x.n)
		d, approximate = est, true
		out.Points = est.points()
	}
	x.block, x.runs = nil, nil
	for _, q := range Levels {
		out.Quantiles = append(out.Quantiles, Float(d.quantile(q)))
	}
	out.Median = out.Quantiles[slices.Index(Levels[:], 0.5)]
	out.Histogram = histogram(d, x.min, x.max, float64(x.n))
	return out, unique, approximate
}
