"""Compares a column or an index with what it was, more strictly than pandas: types of objects and kinds of missing values
count too."""

from .objects import kind_of_missing


def same(a, b):
    """Reports whether two Series of equal length have the same dtype and values."""
    import numpy

    if type(a.dtype) is not type(b.dtype) or a.dtype != b.dtype:
        return False
    if isinstance(a.dtype, numpy.dtype):
        if a.dtype.kind == "O":
            return all(map(same_value, a.tolist(), b.tolist()))
        return numpy.array_equal(a.to_numpy().view("V%d" % a.dtype.itemsize), b.to_numpy().view("V%d" % b.dtype.itemsize)) or bool(a.equals(b))
    if hasattr(a.dtype, "categories"):
        return (
            a.dtype.ordered == b.dtype.ordered and same_index(a.dtype.categories, b.dtype.categories)
            and a.cat.codes.tolist() == b.cat.codes.tolist()
        )
    return all(map(same_value, a.tolist(), b.tolist()))


def renumbered(series):
    """Returns a Series with the index 0, 1, … and unchanged values. reset_index guesses another type for objects."""
    import pandas

    return pandas.Series(series.array, index=pandas.RangeIndex(len(series)), dtype=series.dtype)


def same_index(a, b):
    """Reports whether two indexes have the same types, values and names."""
    if len(a) != len(b) or a.nlevels != b.nlevels or list(map(repr, a.names)) != list(map(repr, b.names)):
        return False
    return all(same(level(a, i), level(b, i)) for i in range(a.nlevels))


def level(index, i):
    """Returns a level of an index as a Series."""
    import pandas

    values = index.set_names([None] * index.nlevels).get_level_values(i)  # a name may be a number
    return pandas.Series(values, index=range(len(values)), dtype=values.dtype)


def same_value(a, b):
    """Reports whether two objects have the same types and values, at all depths."""
    import numpy

    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, numpy.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and all(map(same_value, a.ravel().tolist(), b.ravel().tolist()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same_value(a[k], b[k]) for k in a)
    missing = kind_of_missing(a)
    return missing is not None and missing == kind_of_missing(b) or bool(a == b)
