"""pandas' data frames as parquet, by pyarrow. pyarrow restores most types. For some it needs help, which is in the
description: the kind of missing values of objects, lists, labels that are not text. Columns that may come back as something
else are read back after writing, and compared. The others are only compared by type."""

from . import indexes, labels
from .ranges import grouped, ungrouped
from .remedies import described, only_text, positions, remedy, restored, safe
from .same import renumbered, same_index
from .unfit import Unfit


def save(frame, path):
    """Writes a frame and returns its description, which is empty if pyarrow restores all of it."""
    flat, said = prepared(frame)
    write(flat, path)
    fixes = {}
    said["rows"] = len(frame)
    compare(frame, flat, path, fixes)
    for key, specs in fixes.items():
        said[key] = grouped([specs.get(i) for i in range(frame.shape[1])])
    check_index(frame, path, said)
    return said if len(said) > 1 else {}


def prepared(frame):
    """Returns a frame whose labels parquet can store, and the description of those that it can't."""
    texts, header = labels.describe(frame.columns)
    said = {} if header is None and len(set(texts)) == len(texts) else {"labels": header or {}}
    flat = frame.copy(deep=False)
    flat.attrs = {}
    if said:
        flat.columns = distinct(texts)
        if list(flat.columns) != texts:
            said["labels"] = dict({"cells": texts} if "type" in said["labels"] else {"list": texts}, **said["labels"])
    index = indexes.describe(frame.index)
    if index is None and not texts:
        index = {"levels": 1, "names": [None], "range": [0, len(frame), 1]}  # a file without columns has no rows
    if index is not None:
        own = frame.index.names
        if any(n is not None and type(n) is not str for n in own) or len(set(own) - {None}) < len([n for n in own if n is not None]) or set(own) & set(flat.columns):
            flat.index = flat.index.set_names([None] * frame.index.nlevels)
        said["index"] = index
    return flat, said


def distinct(texts):
    """Returns texts of which none occurs twice: a, a.1."""
    out, taken, last = [], set(texts), {}
    for text in texts:
        name = text
        if text in last:
            while name in taken:
                last[text] += 1
                name = "%s.%d" % (text, last[text])
        else:
            last[text] = 0
        out.append(name)
    return out


def write(flat, path):
    import pyarrow
    from pyarrow import parquet

    faults = (pyarrow.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError)
    try:
        parquet.write_table(pyarrow.Table.from_pandas(flat), path)
    except faults as e:
        for i, name in enumerate(flat.columns):
            try:
                parquet.write_table(pyarrow.Table.from_pandas(flat.iloc[:, [i]].set_axis(range(len(flat)))), path)
            except faults as why:
                raise Unfit("column %r has the dtype %s (%s)" % (name, flat.dtypes.iloc[i], one_line(why))) from None
        raise Unfit("the index has the dtype %s (%s)" % (flat.index.dtype, one_line(e))) from None


def one_line(e):
    return (str(e).strip().splitlines() or [type(e).__name__])[0][:200]


def compare(frame, flat, path, fixes):
    """Reads back what may have changed. Adds to fixes how to restore it, by kind and position."""
    from pyarrow import parquet

    types = parquet.read_schema(path).empty_table().to_pandas().dtypes
    if list(types.index) != list(flat.columns):
        raise Unfit("the names of its columns would change", "rename the columns to text")
    suspects = []
    for i, dtype in enumerate(flat.dtypes):
        kept = type(types.iloc[i]) is type(dtype) and types.iloc[i] == dtype
        if kept and dtype == object and only_text(flat.iloc[:, i]):
            missing = positions(flat.iloc[:, i].tolist())
            if missing:
                fixes.setdefault("missing", {})[i] = missing
        elif not (kept and safe(dtype)):
            suspects.append(i)
    if not suspects:
        return
    back = parquet.read_table(path, columns=[flat.columns[i] for i in suspects], use_pandas_metadata=True).to_pandas()
    for i in suspects:
        was = renumbered(frame.iloc[:, i])
        found = renumbered(back[flat.columns[i]])
        fix = remedy(was, found)
        if fix is None:
            raise Unfit("column %r has the dtype %s, which would come back with other values or types, as %s" % (frame.columns[i], described(was), found.dtype))
        for key, spec in fix.items():
            fixes.setdefault(key, {})[i] = spec


def check_index(frame, path, said):
    """Reads back the index, unless it is described completely."""
    from pyarrow import parquet

    if "index" not in said or "range" in said["index"]:
        return
    back = parquet.read_table(path, columns=[], use_pandas_metadata=True).to_pandas().index
    try:
        fits = len(back) == len(frame) and same_index(indexes.restore(back, said["index"]), frame.index)
    except (ValueError, TypeError):
        fits = False
    if not fits:
        kinds = ", ".join(str(labels.level(frame.index, i).dtype) for i in range(frame.index.nlevels))
        raise Unfit("the index has the dtype %s, which parquet does not restore" % kinds, "call reset_index()")


def load(path, said):
    """Returns the frame of a description."""
    import pandas
    from pyarrow import parquet

    frame = parquet.read_table(path).to_pandas()
    if not frame.shape[1] and "range" in said.get("index", {}):
        frame = pandas.DataFrame(index=pandas.RangeIndex(said["rows"]), columns=frame.columns)
    if len(frame) != said.get("rows", len(frame)):
        raise ValueError("it has %d rows, and was written with %d" % (len(frame), said["rows"]))
    fixes = {}
    for key in ("cast", "lists", "missing"):
        for i, spec in ungrouped(said.get(key, [])).items():
            fixes.setdefault(i, {})[key] = spec
    if fixes:
        columns = {i: restored(frame.iloc[:, i], fixes[i]) if i in fixes else frame.iloc[:, i] for i in range(frame.shape[1])}
        names = frame.columns
        frame = pandas.DataFrame(columns, index=frame.index)
        frame.columns = names
    if "labels" in said or not frame.shape[1]:
        frame.columns = labels.restore(list(frame.columns), said.get("labels"))
    if "index" in said:
        frame.index = indexes.restore(frame.index, said["index"])
    return frame
