"""The index of a frame. Its values are columns of the file. What else is necessary to restore it is in a description, as JSON:
its names, its range and the frequency of its times."""

from .path import stdlib
from .unfit import Unfit


def describe(index):
    """Describes what a file's columns don't say of a frame's index. Returns None for the index that every new frame has."""
    import pandas

    if index.nlevels == 1 and isinstance(index, pandas.MultiIndex):
        raise Unfit("its index is a MultiIndex with one level", "replace it with its get_level_values(0)")
    said = dict({"levels": index.nlevels, "names": names(index)}, **gapped(index))
    if isinstance(index, pandas.RangeIndex):
        said["range"] = [index.start, index.stop, index.step]
        if said["range"] == [0, len(index), 1] and index.name is None:
            return None
    return dict(said, **frequency(index))


def gapped(index):
    """Describes the levels of integers and bools with missing values, which are floats or objects as columns."""
    if index.nlevels == 1:
        return {}
    found = {}
    for i, level in enumerate(index.levels):
        if level.dtype.kind in "iub" and (index.codes[i] < 0).any():
            if level.dtype.kind != "b" and any(int(float(v)) != v for v in level.tolist()):
                raise Unfit("index level %d contains missing values and integers that a float does not hold" % i, "call reset_index()")
            found[str(i)] = level.dtype.name
    return {"gapped": found} if found else {}


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


def restore(index, said):
    """Returns the index that was described. index has its levels."""
    import pandas

    if said is None:
        return index
    if "range" in said:
        if len(pandas.RangeIndex(*said["range"])) != len(index):
            raise ValueError("its index has %d entries, and was described with another number" % len(index))
        index = pandas.RangeIndex(*said["range"])
    for i, dtype in said.get("gapped", {}).items():
        index = index.set_levels(index.levels[int(i)].astype(dtype), level=int(i))
    return named(regular(index, said), said["names"])


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
    if type(label) is stdlib("datetime").date:
        return {"date": label.isoformat()}
    raise Unfit("a label of its columns or its index is of the type %s" % type(label).__name__, "rename it to text")


def unpacked(label):
    """Returns the label of packed."""
    if not isinstance(label, dict):
        return label
    if "float" in label:
        return float(label["float"])
    if "date" in label:
        return stdlib("datetime").date.fromisoformat(label["date"])
    return tuple(unpacked(part) for part in label["tuple"])
