"""How to restore a column that parquet stores as something else. A remedy is a dict that is stored as JSON."""

from . import labels, objects
from .cells import decode, filled
from .ranges import ranges, unranges
from .same import same
from .unfit import Unfit


def safe(dtype):
    """Reports whether all values of a dtype come back if the dtype does."""
    import numpy

    if isinstance(dtype, numpy.dtype):
        return dtype.kind in "biu" or dtype.kind == "f" and dtype.itemsize > 2 or dtype.name in ("datetime64[us]", "datetime64[ns]")
    return type(dtype).__name__ == "StringDtype"


def only_text(series):
    return objects.survey(series.tolist())[0] <= {str}


def described(series):
    """Returns the dtype of a column, and the types of objects in it."""
    if series.dtype != object:
        return str(series.dtype)
    kinds, _ = objects.survey(series.tolist())
    return "object with values of the type %s" % ", ".join(sorted(map(objects.type_name, kinds)))


def remedy(was, back):
    """Returns how to restore a column, or None if that is not possible."""
    import pandas

    fix = {}
    if hasattr(was.dtype, "categories"):  # parquet keeps categories of text, but not always their order
        if same(back, was):
            return fix
        try:
            fix["cast"] = {"categories": labels.whole(pandas.Series(was.dtype.categories)), "ordered": bool(was.dtype.ordered)}
        except Unfit:
            return None
    elif type(back.dtype) is not type(was.dtype) or back.dtype != was.dtype:
        fix["cast"] = str(was.dtype)
    if was.dtype == object:
        values = was.tolist()
        if any(type(v) is list for v in values):
            fix["lists"] = True
        missing = positions(values)
        if missing:
            fix["missing"] = missing
    try:
        return fix if same(restored(back, fix), was) else None
    except (ValueError, TypeError, OverflowError, AttributeError):
        return None


def positions(values):
    """Returns where the missing values of each kind are, except for None, which is what parquet restores. "" is anywhere."""
    kinds = {}
    for i, v in enumerate(values):
        kind = objects.kind_of_missing(v) if type(v) is not str else None
        if kind:
            kinds.setdefault(kind, []).append(i)
    if len(kinds) == 1:
        return {kind: "" for kind in kinds if kind != "none"}
    return {kind: ranges(numbers) for kind, numbers in kinds.items() if kind != "none"}


def restored(column, fix):
    """Applies a remedy."""
    import pandas

    if "cast" in fix:
        column = column.astype(cast_type(fix["cast"]))
    if "lists" not in fix and "missing" not in fix:
        return column
    values = column.to_numpy(dtype=object, copy=True) if hasattr(column, "to_numpy") else column
    if "lists" in fix:
        for i, v in enumerate(values):
            values[i] = as_list(v)
    gone = [i for i, v in enumerate(values) if objects.kind_of_missing(v)]
    for kind, where in fix.get("missing", {}).items():
        for i in unranges(where) if where else gone:
            values[i] = objects.markers()[kind]
    return pandas.Series(values, index=column.index, name=column.name, dtype=object)


def cast_type(said):
    """Returns the dtype of a cast."""
    import pandas

    if isinstance(said, str):
        return said
    spec, texts = said["categories"]
    return pandas.CategoricalDtype(labels.as_index(decode(filled(texts), spec)), ordered=said["ordered"])


def as_list(value):
    """Returns pyarrow's arrays of a list as lists."""
    return [as_list(v) for v in value.tolist()] if hasattr(value, "dtype") and hasattr(value, "tolist") and hasattr(value, "ndim") else value
