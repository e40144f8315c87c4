"""Columns as text: one cell for each value, and a spec of the column that tells how to read the cells. Specs are stored as
JSON, in the format of the artifact."""

from . import objects
from .unfit import Unfit

UNITS = ("D", "s", "ms", "us", "ns")
NULLABLE = ("Int8Dtype", "Int16Dtype", "Int32Dtype", "Int64Dtype", "UInt8Dtype", "UInt16Dtype", "UInt32Dtype", "UInt64Dtype",
            "Float32Dtype", "Float64Dtype", "BooleanDtype")


class Column:
    """How a column is written. `cells` returns the cells of a part of the column. `text` states that cells may contain any
    characters. `checked` states that the column must be read back before the spec can be trusted."""

    def __init__(self, spec, cells, text=False, checked=False):
        self.spec, self.cells, self.text, self.checked = spec, cells, text, checked


def describe(series):
    """Returns the Column of a pandas Series. Raises Unfit if the series can't be restored from text."""
    import numpy

    from .cells import decode, filled
    from .same import renumbered, same

    if isinstance(series.dtype, numpy.dtype):
        column = of_numpy(series)
    else:
        column = of_extension(series)
    if column.checked:
        try:
            back = decode(filled(list(column.cells(series))), column.spec)
            fits = same(back, renumbered(series))
        except (ValueError, TypeError, OverflowError, KeyError, AttributeError) as e:
            raise Unfit("has the dtype %s (%s)" % (series.dtype, e)) from None
        if not fits:
            raise Unfit("has the dtype %s" % series.dtype)
    return column


def of_numpy(series):
    dtype = series.dtype
    if dtype.kind == "O":
        spec = objects.describe(series.tolist())
        return Column(spec, lambda part: objects.render(part.tolist(), spec), text=spec["object"] == "str")
    if dtype.isnative and dtype.kind in "biu":
        return Column(dtype.name, lambda part: map(str, part.tolist()))
    if dtype.isnative and dtype.kind == "f" and dtype.itemsize <= 8:
        return Column(dtype.name, lambda part: ["" if v != v else repr(v) for v in part.tolist()])
    if dtype.isnative and dtype.kind == "M":
        unit = coarsest(series.to_numpy())
        return Column(dtype.name, lambda part: times(part.to_numpy(), unit))
    if dtype.isnative and dtype.kind == "m":
        return Column(dtype.name, lambda part: durations(part.to_numpy()), checked=True)
    raise Unfit("has the dtype %s" % dtype)


def of_extension(series):
    import pandas

    dtype, name = series.dtype, type(series.dtype).__name__
    if not type(dtype).__module__.startswith("pandas."):
        raise Unfit("has the dtype %s" % dtype)
    if name in NULLABLE:
        return Column({"nullable": dtype.name}, nullable)
    if name == "StringDtype" and dtype.storage == "python":
        values = [v for v in series.tolist() if type(v) is str]
        kind = "na" if dtype.na_value is pandas.NA else "nan"
        spec = objects.with_missing({"object": "str"}, [kind] if len(values) < len(series) else [], set(values))
        whole = dict(spec, string=kind)
        return Column(whole, lambda part: objects.render(part.tolist(), spec), text=True, checked=True)
    if name == "DatetimeTZDtype":
        unit = coarsest(utc(series))
        spec = {"tz": str(dtype.tz), "unit": dtype.unit}
        return Column(spec, lambda part: [c and c + "+00:00" for c in times(utc(part), unit)], checked=True)
    if name == "PeriodDtype":
        return Column({"period": dtype.freq.freqstr}, lambda part: ["" if p is pandas.NaT else str(p) for p in part], text=True, checked=True)
    if name == "CategoricalDtype":
        return of_category(series, dtype)
    raise Unfit("has the dtype %s" % dtype)


def of_category(series, dtype):
    import pandas

    inner = describe(pandas.Series(dtype.categories))
    cells = list(inner.cells(pandas.Series(dtype.categories)))
    if len(set(cells)) < len(cells):
        raise Unfit("has categories that are the same as text")
    codes = series.cat.codes
    spec = objects.with_missing({"category": inner.spec, "ordered": bool(dtype.ordered)}, ["nan"] if (codes < 0).any() else [], set(cells))
    used = [cells[i] for i in sorted(set(codes.tolist())) if i >= 0]
    if used != cells or cells != sorted(cells):  # otherwise they are the cells of the column, sorted
        spec["values"] = cells
    missing = next(iter(spec.get("missing", {})), None)
    return Column(spec, lambda part: [cells[i] if i >= 0 else missing for i in part.cat.codes.tolist()], text=True, checked=True)


def nullable(part):
    """Returns the cells of a part of a column with one of pandas' nullable types. NaN is not a missing value."""
    gone = part.isna().tolist()
    kind = part.dtype.numpy_dtype if hasattr(part.dtype, "numpy_dtype") else "bool"
    values = part.to_numpy(dtype=kind, na_value=part.dtype.type(0)).tolist()
    return ["" if missing else repr(v) for v, missing in zip(values, gone)]


def utc(series):
    return series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()


def coarsest(values):
    """Returns the largest unit of time that all values are a multiple of."""
    import numpy

    unit = numpy.datetime_data(values.dtype)[0]
    for larger in UNITS[:UNITS.index(unit)]:
        if (numpy.isnat(values) | (values.astype("M8[%s]" % larger) == values)).all():
            return larger
    return unit


def times(values, unit):
    import numpy

    cells = numpy.datetime_as_string(values.astype("M8[%s]" % unit)).tolist()
    return ["" if c == "NaT" else c.replace("T", " ") for c in cells]


def durations(values):
    """Returns durations as pandas writes them: 1 days 02:03:04.000000005."""
    import numpy

    per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    unit = numpy.datetime_data(values.dtype)[0]
    out = []
    for v, gone in zip(values.astype("int64").tolist(), numpy.isnat(values).tolist()):
        if gone:
            out.append("")
            continue
        seconds, rest = divmod(v, per[unit])
        days, seconds = divmod(seconds, 86400)
        clock = "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
        if rest:
            clock += ".%09d" % (rest * (10**9 // per[unit]))
        out.append("%d days %s%s" % (days, "+" if days < 0 else "", clock))
    return out
