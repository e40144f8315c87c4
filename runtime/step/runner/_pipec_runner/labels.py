"""The labels of a frame's columns. A file has one text for each column. What else is necessary to restore the labels is in a
description, as JSON."""

from . import columns as column_types
from .cells import decode, filled
from .indexes import frequency, named, names, packed, regular, unpacked
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
