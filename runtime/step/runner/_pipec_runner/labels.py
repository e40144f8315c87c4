"""The labels of a frame: the names of its columns, and its index. A file has one text for each column. What else there is
to restore them is in a description, as JSON."""

from . import columns as column_types
from .cells import decode, filled
from .same import level, same_index
from .unfit import Unfit


def describe(index):
    """Returns a text for each label of a frame's columns, and the description of the labels; None for plain text."""
    import pandas

    if index.nlevels > 1:
        return [" ".join(map(str, label)) for label in index], {"levels": [whole(level(index, i)) for i in range(index.nlevels)], "names": names(index)}
    said = {} if index.name is None else {"names": names(index)}
    if isinstance(index, pandas.RangeIndex):
        return [str(i) for i in index], dict(said, range=[index.start, index.stop, index.step])
    if all(type(label) is str for label in index) and same_index(pandas.Index(list(index), name=index.name), index):
        return list(index), said or None
    if index.dtype == object:
        return [str(label) for label in index], dict(said, list=[packed(label) for label in index])
    column = of_labels(level(index, 0))
    return list(column.cells(level(index, 0))), dict(said, type=column.spec, **frequency(index))


def restore(texts, said):
    """Returns the index for the columns of a frame."""
    import pandas

    said = said or {}
    if "levels" in said:
        index = pandas.MultiIndex.from_arrays([as_index(decode(filled(cells), spec)) for spec, cells in said["levels"]])
    elif "range" in said:
        index = pandas.RangeIndex(*said["range"])
    elif "list" in said:
        values = filled([unpacked(label) for label in said["list"]])
        text = all(type(label) is str for label in values)
        index = pandas.Index(list(values)) if text and len(values) else pandas.Index(values, dtype=object, tupleize_cols=False)
    elif "type" in said:
        index = regular(as_index(decode(filled(said.get("cells", texts)), said["type"])), said)
    else:
        index = pandas.Index(list(texts)) if len(texts) else pandas.Index([], dtype=object)
    return named(index, said.get("names"))


def whole(series):
    """Returns the spec and the cells of a level of labels."""
    column = of_labels(series)
    return [column.spec, list(column.cells(series))]


def of_labels(series):
    """Returns the Column of the labels of columns."""
    try:
        return column_types.describe(series)
    except Unfit as e:
        raise Unfit("the index of its columns %s" % e, e.help or "rename the columns to text") from None


def as_index(series):
    """Returns a column as an index, without another guess at its type."""
    import pandas

    return pandas.Index(series, dtype=object) if series.dtype == object else pandas.Index(series)


def names(index):
    """Describes the names of an index."""
    return [packed(name) for name in index.names]


def named(index, said):
    """Returns an index with its names."""
    return index if said is None else index.set_names([unpacked(name) for name in said])


def packed(label):
    """Returns a label as JSON."""
    if label is None or type(label) in (str, bool, int):
        return label
    if type(label) is float:
        return {"float": repr(label)}
    if type(label) is tuple:
        return {"tuple": [packed(part) for part in label]}
    raise Unfit("a label of its columns or its index is of the type %s" % type(label).__name__, "rename it to text")


def unpacked(label):
    """Returns the label of packed."""
    if not isinstance(label, dict):
        return label
    if "float" in label:
        return float(label["float"])
    return tuple(unpacked(part) for part in label["tuple"])


def describe_index(index):
    """Describes what a file's columns don't say of a frame's index. Returns None for the index that every new frame has."""
    import pandas

    said = {"levels": index.nlevels, "names": names(index)}
    if isinstance(index, pandas.RangeIndex):
        said["range"] = [index.start, index.stop, index.step]
        if said["range"] == [0, len(index), 1] and index.name is None:
            return None
    return dict(said, **frequency(index))


def frequency(index):
    """Describes that the times of an index are regular."""
    import pandas

    if getattr(index, "freq", None) is None or isinstance(index, pandas.PeriodIndex):
        return {}
    return {"freq": index.freq.freqstr}


def regular(index, said):
    """Returns an index of times with its frequency."""
    if "freq" not in said:
        return index
    try:
        return type(index)(index, freq=said["freq"])
    except ValueError:
        return type(index)(index, freq="infer")  # versions of pandas name frequencies differently


def restore_index(index, said):
    """Returns the index that was described. index has its levels."""
    import pandas

    if said is None:
        return index
    if "range" in said:
        if len(pandas.RangeIndex(*said["range"])) != len(index):
            raise ValueError("its index has %d entries, and was described with another number" % len(index))
        index = pandas.RangeIndex(*said["range"])
    return named(regular(index, said), said["names"])


def describe_attrs(attrs):
    """Describes the attrs of a frame, which may be anything that JSON restores."""
    from .same import same_value
    import json

    if not attrs:
        return None
    try:
        fits = same_value(json.loads(json.dumps(attrs, allow_nan=False)), dict(attrs))
    except (TypeError, ValueError, RecursionError):
        fits = False
    if not fits:
        raise Unfit("its attrs contain values that JSON can't restore", "set its attrs to {}")
    return dict(attrs)
