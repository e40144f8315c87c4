"""Reads the cells of a column by the column's spec: the inverse of module columns."""

from . import objects


def native(spec):
    """Returns the dtype with which pandas.read_csv reads a column of a spec, or None if it reads the cells as text."""
    if isinstance(spec, str) and spec.startswith(("int", "uint")):
        return spec
    return "float64" if isinstance(spec, str) and spec.startswith("float") else None


def decode(cells, spec):
    """Returns the Series of an array of cells. For a column that read_csv has read, the array contains numbers."""
    import numpy
    import pandas

    if isinstance(spec, str):
        return pandas.Series(of_numpy(cells, spec))
    if "object" in spec:
        values = pandas.Series(filled(objects.decode(cells, spec)), dtype=object)
        return values if "string" not in spec else values.astype(string_dtype(spec["string"]))
    if "nullable" in spec:
        return pandas.Series(nullable(cells, spec["nullable"]))
    if "tz" in spec:
        naive = numpy.array([c[:-6] if c else "NaT" for c in cells], dtype="M8[%s]" % spec["unit"])
        return pandas.Series(naive).dt.tz_localize("UTC").dt.tz_convert(spec["tz"])
    if "period" in spec:
        periods = [pandas.Period(c, freq=spec["period"]) if c else pandas.NaT for c in cells]
        return pandas.Series(pandas.PeriodIndex(periods, freq=spec["period"]))
    return category(cells, spec)


def filled(values):
    """Returns values as an array of objects, whatever they are."""
    import numpy

    out = numpy.empty(len(values), dtype=object)
    out[:] = values
    return out


def of_numpy(cells, dtype):
    import numpy
    import pandas

    if dtype == "bool":
        unknown = set(cells) - {"True", "False"}
        if unknown:
            raise ValueError("%r is not True or False" % unknown.pop())
        return cells == "True" if len(cells) else numpy.zeros(0, bool)
    if dtype.startswith("datetime64"):
        return numpy.array([c or "NaT" for c in cells], dtype=dtype)
    if dtype.startswith("timedelta64"):
        return pandas.to_timedelta([c or None for c in cells]).to_numpy().astype(dtype)
    return numpy.asarray(cells, dtype=native(dtype)).astype(dtype)


def nullable(cells, name):
    import numpy
    import pandas

    gone = numpy.array([c == "" for c in cells], dtype=bool)
    if name == "boolean":
        return pandas.arrays.BooleanArray(numpy.array([c == "True" for c in cells], dtype=bool), gone)
    if name.startswith("Float"):
        return pandas.arrays.FloatingArray(numpy.array([float(c or "nan") for c in cells], dtype=name.lower()), gone)
    return pandas.arrays.IntegerArray(numpy.array([int(c or "0") for c in cells], dtype=name.lower()), gone)


def string_dtype(kind):
    """Returns pandas' own type for text. Before pandas 3 there is one, whose missing value is NA."""
    import numpy
    import pandas

    if kind == "na":
        return pandas.StringDtype("python")
    try:
        return pandas.StringDtype("python", na_value=numpy.nan)
    except TypeError:
        return object


def category(cells, spec):
    import numpy
    import pandas

    missing = set(spec.get("missing", {}))
    names = spec.get("values")
    if names is None:
        names = sorted(set(cells) - missing)
    inner = native(spec["category"])
    values = decode(numpy.array(names, dtype=inner) if inner else filled(names), spec["category"])
    position = {name: i for i, name in enumerate(names)}
    codes = [-1 if c in missing else position[c] for c in cells]
    index = pandas.Index(values, dtype=object) if values.dtype == object else pandas.Index(values)
    return pandas.Series(pandas.Categorical.from_codes(codes, categories=index, ordered=spec["ordered"]))
