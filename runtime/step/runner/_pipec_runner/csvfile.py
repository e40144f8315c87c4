"""Data frames as csv, for interpreters without pyarrow. The file is plain csv that every tool can read: UTF-8, a line of
names, lines that end with \\n, quotes where they are needed. What csv can't express is in the description."""

import re

from . import cells, columns, indexes, labels
from .path import stdlib
from .ranges import grouped, ungrouped
from .unfit import Unfit

ROWS = 20000  # that are written at once
SPECIAL = re.compile('[",\r\n]|^[\\s\ufeff]|\\s$')


def save(frame, path):
    """Writes a frame and returns its description."""
    texts, header = labels.describe(frame.columns)
    index = indexes.describe(frame.index)
    if index is None and not texts:
        index = {"levels": 1, "names": [None], "range": [0, len(frame), 1]}  # a file has at least one column
    levels = index["levels"] if index else 0
    parts = [("index level %d" % i, labels.level(frame.index, i)) for i in range(levels)]
    parts += [("column %r" % (frame.columns[i],), frame.iloc[:, i]) for i in range(frame.shape[1])]
    plans = described(parts)
    texts = [str("" if n is None else n) for n in frame.index.names][:levels] + texts
    with open(path, "w", encoding="utf-8", newline="") as f:
        write(f, [[quoted(t, True)] for t in texts], ["name of " + what for what, _ in parts])
        for start in range(0, len(frame), ROWS):
            rows = [lines(plan, series.iloc[start:start + ROWS]) for plan, (_, series) in zip(plans, parts)]
            if len(rows) == 1:
                rows = [[c or '""' for c in rows[0]]]  # many tools skip empty lines
            write(f, rows, [what for what, _ in parts])
    said = {"rows": len(frame), "types": grouped([plan.spec for plan in plans]), "index": index, "labels": header}
    return {k: v for k, v in said.items() if v is not None}


def described(parts):
    """Returns the Column of each part. Reports the first columns that can't be restored together."""
    plans, faults, help = [], [], set()
    for what, series in parts:
        try:
            plans.append(columns.describe(series))
        except Unfit as e:
            faults.append("%s %s" % (what, e))
            help.add(e.help)
    if faults:
        more = len(faults) - 5
        text = ", ".join(faults[:5]) + (" and %d more" % more if more > 0 else "")
        raise Unfit(text, help.pop() if len(help) == 1 else "")
    return plans


def lines(plan, part):
    """Returns the cells of a part of a column as they are in the file."""
    if not plan.text:
        return plan.cells(part)
    empty = not (isinstance(plan.spec, dict) and "" in plan.spec.get("missing", {}) or "period" in plan.spec)
    return [quoted(c, empty) for c in plan.cells(part)]


def quoted(cell, empty):
    """Returns a cell, in quotes where they are needed. An empty cell that is not a missing value has quotes."""
    if SPECIAL.search(cell) or empty and not cell:
        return '"%s"' % cell.replace('"', '""')
    return cell


def write(f, parts, what):
    """Writes lines, from their cells by column."""
    parts = [list(p) for p in parts]
    text = "\n".join(map(",".join, zip(*parts)))
    if "\0" in text or not encodable(text):
        for name, part in zip(what, parts):
            if any("\0" in c for c in part):
                raise Unfit("%s contains a NUL character" % name)
            if not all(map(encodable, part)):
                raise Unfit("%s contains half a character (a surrogate), which is not valid text" % name, "remove it")
    f.write(text + "\n")


def encodable(text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def load(path, said):
    """Returns the frame of a description."""
    import pandas

    specs = ungrouped(said["types"])
    with open(path, encoding="utf-8", newline="") as f:
        names = header(f)
        if len(names) != len(specs):
            raise ValueError("it has %d columns, and was written with %d" % (len(names), len(specs)))
        values = body(f, specs) if said["rows"] else {i: [] for i in specs}
    if any(len(v) != said["rows"] for v in values.values()):
        raise ValueError("it has %d rows, and was written with %d" % (max(map(len, values.values())), said["rows"]))
    series = [decoded(values.pop(i), specs[i]) for i in sorted(specs)]
    levels = said["index"]["levels"] if "index" in said else 0
    rows = pandas.RangeIndex(said["rows"])
    frame = pandas.DataFrame(dict(enumerate(series[levels:])), index=rows)
    frame.columns = labels.restore(names[levels:], said.get("labels"))
    if levels:
        index = [labels.as_index(s) for s in series[:levels]]
        frame.index = indexes.restore(pandas.MultiIndex.from_arrays(index) if levels > 1 else index[0], said["index"])
    return frame


def header(f):
    """Reads the first line, which has the names."""
    csv = stdlib("csv")
    limit = csv.field_size_limit(2**31 - 1)
    try:
        return next(csv.reader(f, lineterminator="\n", strict=True))
    finally:
        csv.field_size_limit(limit)


def body(f, specs):
    """Reads the other lines. Returns the columns by position, numbers as numbers and all else as text."""
    import pandas

    dtypes = {i: cells.native(spec) or object for i, spec in specs.items()}
    frame = pandas.read_csv(
        f, header=None, names=list(range(len(specs))), index_col=False, dtype=dtypes, engine="c", float_precision="round_trip",
        keep_default_na=False, na_values={i: [""] for i, dtype in dtypes.items() if dtype == "float64"},
        lineterminator="\n", skip_blank_lines=False, low_memory=False,
    )
    return {i: frame.iloc[:, i].to_numpy() for i in range(len(specs))}


def decoded(values, spec):
    if not len(values):
        values = cells.filled([]) if not cells.native(spec) else values
    return cells.decode(values, spec)
