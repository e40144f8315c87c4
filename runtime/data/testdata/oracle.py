"""Writes random and nasty datasets, and what pandas and scipy compute of them, to the directory of the first argument."""

import json
import os
import sys
import warnings

import numpy
import pandas
from scipy import stats
from scipy.spatial import distance

warnings.simplefilter("ignore")
LEVELS = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]


def finite(v):
    return None if v is None or not numpy.isfinite(v) else float(v)


def numbers(series):
    values = series.dropna().to_numpy(dtype=float)
    fin = values[numpy.isfinite(values)]
    out = {"count": len(values), "missing": int(series.isna().sum()), "unique": int(pandas.Series(values).nunique())}
    if len(fin):
        counts, _ = numpy.histogram(fin, bins=10) if fin.min() < fin.max() else ([len(fin)], None)
        out.update(
            mean=finite(fin.mean()), deviation=finite(fin.std(ddof=1)) if len(fin) > 1 else None, zeros=int((fin == 0).sum()), min=finite(fin.min()),
            max=finite(fin.max()), quantiles=[finite(q) for q in numpy.quantile(fin, LEVELS)], histogram=[int(c) for c in counts],
        )
    return out


def texts(series):
    values = series.dropna()
    counts = values.value_counts()
    top = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0].encode()))[:10]
    return {"count": len(values), "missing": int(series.isna().sum()), "unique": int(values.nunique()), "top": [[k, int(n)] for k, n in top]}


def js(a, b):
    """The squared distance of scipy, over the buckets of both histograms with common edges."""
    edges = numpy.union1d(numpy.histogram_bin_edges(a, 10), numpy.histogram_bin_edges(b, 10))

    def spread(x):
        counts, own = numpy.histogram(x, bins=10)
        cumulative = numpy.concatenate([[0], numpy.cumsum(counts)]) / len(x)
        return numpy.diff(numpy.interp(edges, own, cumulative))

    return float(distance.jensenshannon(spread(a), spread(b), 2) ** 2)


def pair(a, b):
    a, b = a.dropna().to_numpy(dtype=float), b.dropna().to_numpy(dtype=float)
    return {"js": js(a, b), "ks": float(stats.ks_2samp(a, b, mode="asymp").statistic), "wasserstein": float(stats.wasserstein_distance(a, b) / a.std(ddof=1))}


def linf(a, b):
    a, b = a.value_counts(normalize=True), b.value_counts(normalize=True)
    return float(a.sub(b, fill_value=0).abs().max())


def main(out):
    r = numpy.random.default_rng(int(sys.argv[2]))
    n = 5000
    words = numpy.array(["ä", "b,c", 'd"e', "e f", "日本", "𝒳", "x\ny", "Z"])
    frames = []
    for shift in (0, 0.5):
        a = pandas.DataFrame({
            "normal": r.normal(shift, 1 + shift, n), "lognormal": r.lognormal(0, 2, n), "few": r.integers(-3, 4, n).astype(float),
            "large": r.normal(1e15, 1e3, n), "tiny": r.normal(0, 1e-300, n), "missing": numpy.where(r.random(n) < 0.3, numpy.nan, r.normal(shift, 1, n)),
            "zeros": numpy.where(r.random(n) < 0.9, 0.0, r.random(n)), "steps": numpy.round(r.exponential(10 + 10 * shift, n)),
            "infinite": numpy.where(r.random(n) < 0.1, numpy.inf, numpy.where(r.random(n) < 0.1, -numpy.inf, r.normal(size=n))),
            "one": numpy.full(n, 7.5), "single": numpy.where(numpy.arange(n) == 17, 3.0, numpy.nan), "none": numpy.full(n, numpy.nan),
            "words": r.choice(words, n, p=r.dirichlet(numpy.ones(len(words)))), "ids": ["id-%d" % i for i in r.permutation(n)],
        })
        frames.append(a)
    for name, frame in zip("ab", frames):
        frame.to_csv(os.path.join(out, name + ".csv"), index=False)
    expected = {"columns": {}, "pairs": {}, "linf": {}}
    for c in frames[0].columns:
        expected["columns"][c] = [(texts if c in ("words", "ids") else numbers)(f[c]) for f in frames]
    for c in ("normal", "lognormal", "few", "large", "missing", "zeros", "steps"):
        expected["pairs"][c] = pair(frames[0][c], frames[1][c])
    expected["linf"]["words"] = linf(frames[0]["words"], frames[1]["words"])
    with open(os.path.join(out, "expected.json"), "w") as f:
        json.dump(expected, f)


main(sys.argv[1])
