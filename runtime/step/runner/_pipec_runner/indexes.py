"""The index of a frame. Its values are columns of the file. What else is necessary to restore it is in a description, as JSON:
its names, its range and the frequency of its times."""

from .unfit import Unfit


def describe(index):
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


def restore(index, said):
    """Returns the index that was described. index has its levels."""
    import pandas

    if said is None:
        return index
    if "range" in said:
        if len(pandas.RangeIndex(*said["range"])) != len(index):
            raise ValueError("its index has %d entries, and was described with another number" % len(index))
        index = pandas.RangeIndex(*said["range"])
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
    raise Unfit("a label of its columns or its index is of the type %s" % type(label).__name__, "rename it to text")


def unpacked(label):
    """Returns the label of packed."""
    if not isinstance(label, dict):
        return label
    if "float" in label:
        return float(label["float"])
    return tuple(unpacked(part) for part in label["tuple"])
