"""Data frames: parquet if pyarrow is installed and supports the columns, else csv. Properties of a frame that csv can't
express (its index, text columns, dates) are in the format that is recorded with it, such as "csv;na=empty;text=0-2"."""

from .fault import Fault, wrong


def load(path, fmt):
    """Loads a frame as it was stored, or a file of another tool with the defaults of pandas."""
    import pandas

    with open(path, "rb") as f:
        if f.read(4) == b"PAR1":
            return pandas.read_parquet(path)
    said = dict(p.split("=", 1) for p in fmt.split(";")[1:] if "=" in p)
    options = {"keep_default_na": False, "na_values": [""]} if said.get("na") == "empty" else {}
    levels = int(said.get("index", "0"))
    text, dates = unranges(said.get("text", "")), unranges(said.get("dates", ""))
    if text:
        names = pandas.read_csv(path, nrows=0).columns
        options["dtype"] = {names[i]: str for i in text}
    frame = pandas.read_csv(path, **options)
    for i in dates:
        frame[frame.columns[i]] = pandas.to_datetime(frame[frame.columns[i]])
    if levels:
        frame = frame.set_index(list(frame.columns[:levels]))
        frame.index.names = [None if str(n).startswith("Unnamed: ") else n for n in frame.index.names]
    if said.get("columns") == "int":
        frame.columns = [int(c) for c in frame.columns]
    return frame


def save(value, path, name):
    """Stores a frame and returns its format."""
    import pandas

    if isinstance(value, pandas.Series):
        value = value.to_frame()
    if not isinstance(value, pandas.DataFrame):
        raise wrong(name, "dataframe", "a pandas DataFrame", value)
    try:
        import pyarrow
    except ImportError:
        pyarrow = None
    if pyarrow is not None:
        try:
            value.to_parquet(path, engine="pyarrow")
            return "parquet"
        except (ValueError, TypeError, pyarrow.ArrowException):
            pass  # parquet doesn't support these columns; csv does
    if value.columns.nlevels > 1:
        raise Fault("OutputInvalid", "output %r has columns with %d levels, which csv can't store: join their names, or install pyarrow" % (name, value.columns.nlevels))
    plain = isinstance(value.index, pandas.RangeIndex) and value.index.start == 0 and value.index.step == 1 and value.index.name is None
    value.to_csv(path, index=not plain)
    return describe(value, 0 if plain else value.index.nlevels)


def describe(value, levels):
    """Returns the format of a csv file."""
    from pandas.api import types

    said = "csv;na=empty" + (";index=%d" % levels if levels else "")
    if len(value.columns) and all(type(c) is int or hasattr(c, "dtype") and c.dtype.kind in "iu" for c in value.columns):
        said += ";columns=int"
    columns = [value.index.get_level_values(i) for i in range(levels)]
    columns += [value.iloc[:, i] for i in range(value.shape[1])]
    text = ranges([i for i, c in enumerate(columns) if types.is_string_dtype(c.dtype) and all_text(c)])
    dates = ranges([i for i, c in enumerate(columns) if types.is_datetime64_any_dtype(c.dtype)])
    full = said
    if value.columns.is_unique:
        full += (";text=" + text if text else "") + (";dates=" + dates if dates else "")
    return full if len(full) <= 1000 else said


def all_text(column):
    return all(isinstance(v, str) or v is None or v != v for v in column)


def ranges(numbers):
    """Returns [0, 1, 2, 5] as "0-2,5", so that a table with many columns has a short description."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join("%d-%d" % (a, b) if a < b else str(a) for a, b in out)


def unranges(text):
    """Parses the result of ranges."""
    out = []
    for part in text.split(",") if text else []:
        a, _, b = part.partition("-")
        out.extend(range(int(a), int(b or a) + 1))
    return out
