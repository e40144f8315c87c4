"""Columns of dtype object. Their values are Python objects of one type, and missing values of up to four kinds: None, NaN,
NA and NaT. A column comes back with the same types and the same kinds of missing values."""

from .path import stdlib
from .unfit import Unfit

NAMES = {"none": "None", "nan": "NaN", "na": "<NA>", "nat": "NaT"}


def markers():
    """Returns the missing values by the names of their kinds."""
    import pandas

    return {"none": None, "nan": float("nan"), "na": pandas.NA, "nat": pandas.NaT}


def kind_of_missing(value):
    """Returns the kind of a missing value, or None for another value."""
    import pandas

    if value is None:
        return "none"
    if isinstance(value, float):
        return "nan" if value != value else None
    return "na" if value is pandas.NA else "nat" if value is pandas.NaT else None


def survey(values):
    """Returns the types of the values that are not missing, and the kinds of those that are."""
    import pandas

    kinds, missing = set(map(type, values)), []
    for name, marker in (("none", None), ("na", pandas.NA), ("nat", pandas.NaT)):
        if type(marker) in kinds:
            kinds.discard(type(marker))
            missing.append(name)
    for t in [k for k in kinds if issubclass(k, float)]:
        numbers = [v == v for v in values if type(v) is t]
        if not all(numbers) and "nan" not in missing:
            missing.append("nan")
        if not any(numbers):
            kinds.discard(t)
    return kinds, missing


def type_name(t):
    """Returns the name of a type with its module, for messages."""
    return t.__qualname__ if t.__module__ == "builtins" else "%s.%s" % (t.__module__, t.__qualname__)


def readers():
    """Returns the types that text can bring back, with the functions that read it."""
    date = stdlib("datetime").date
    return {str: str, bool: "True".__eq__, int: int, float: float, date: date.fromisoformat}


def describe(values):
    """Returns the spec of a column of objects, for csv."""
    kinds, missing = survey(values)
    if len(kinds) > 1:
        raise Unfit("contains values of several types (%s)" % ", ".join(sorted(map(type_name, kinds))), "convert it to one type")
    kind = kinds.pop() if kinds else str
    if kind not in readers():
        raise Unfit("contains %s values" % type_name(kind))
    taken = {v for v in values if type(v) is str} if kind is str and missing else ()
    return with_missing({"object": kind.__name__}, missing, taken)


def with_missing(spec, missing, taken):
    """Adds the cells for each kind of missing value, which no other value of the column has."""
    cells = {}
    for name in missing:
        cell = "" if "" not in taken and "" not in cells else NAMES[name]
        while cell in taken or cell in cells:
            cell += "_"
        cells[cell] = name
    return dict(spec, missing=cells) if cells else spec


def render(values, spec):
    """Returns the cells of values."""
    cells = {name: cell for cell, name in spec.get("missing", {}).items()}
    write = {"str": None, "date": lambda d: d.isoformat(), "float": repr}.get(spec["object"], str)
    if not cells:
        return values if write is None else [write(v) for v in values]
    out = []
    for v in values:
        gone = None if type(v) is str else kind_of_missing(v)
        out.append(cells[gone] if gone else v if write is None else write(v))
    return out


def decode(cells, spec):
    """Returns the values of cells."""
    gone = {cell: markers()[name] for cell, name in spec.get("missing", {}).items()}
    read = {t.__name__: f for t, f in readers().items()}[spec["object"]]
    if read is str and not gone:
        return cells
    return [gone[c] if c in gone else read(c) for c in cells]
