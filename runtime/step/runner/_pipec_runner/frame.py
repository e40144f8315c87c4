"""Data frames: of pandas, polars and pyarrow. They are stored as parquet, and those of pandas as csv if pyarrow is not
installed. The format that is recorded with a file is its name, and what the file can't express of the frame, as JSON:
`csv;{"rows":3,…}`. A frame that would not come back as it was is refused."""

import json

from .fault import Fault, kind_of, wrong
from .unfit import Unfit

LONGEST = 32 << 10  # characters of a description, which is stored in the records of a run


def save(value, path, name):
    """Stores a frame and returns its format."""
    kind = kind_of(value)
    if kind.startswith(("polars.", "pyarrow.")):
        from . import tables

        return tables.save(value, path, name)
    try:
        import pandas
    except ImportError:
        raise wrong(name, "dataframe", "a data frame of pandas, polars or pyarrow", value) from None
    if isinstance(value, pandas.Series):
        value = value.to_frame()
    if not isinstance(value, pandas.DataFrame):
        raise wrong(name, "dataframe", "a data frame of pandas, polars or pyarrow", value)
    if type(value) is not pandas.DataFrame:
        raise Fault("OutputInvalid", "output %r is declared dataframe, but the function returned a %s, which would come back as a pandas.DataFrame: "
                    "return pandas.DataFrame(result)" % (name, kind))
    return save_pandas(value, path, name)


def save_pandas(value, path, name):
    from .attrs import describe

    try:
        import pyarrow  # noqa: F401
        kind, advice = "parquet", ""
        from . import parquet as writer
    except ImportError:
        kind, advice = "csv", "install pyarrow in the step's environment"
        from . import csvfile as writer
    try:
        attrs = describe(value.attrs)
        said = writer.save(value, path)
        if attrs:
            said["attrs"] = attrs
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        if len(text) > LONGEST:
            raise Unfit("the description of its types, labels and categories has %d characters, but the limit is %d" % (len(text), LONGEST),
                        "convert categories to text, or the labels of columns to str")
    except Unfit as e:
        help = ", or ".join(h for h in (e.help, advice) if h) or "convert it"
        raise Fault("OutputInvalid", "output %r can't be stored as %s, because it would not come back as it was: %s: %s" % (name, kind, e, help)) from None
    return kind + ";" + text if said else kind


def load(path, fmt, library=None):
    """Loads a frame as it was stored, or a file of another tool with the defaults of the library."""
    _, _, text = fmt.partition(";")
    said = json.loads(text) if text.startswith("{") else None
    with open(path, "rb") as f:
        is_parquet = f.read(4) == b"PAR1"
    if "by" in (said or {}) or library not in (None, "pandas") or is_parquet and not installed("pandas"):
        from . import tables

        return tables.load(path, is_parquet, fmt, said or {}, library)
    return load_pandas(path, is_parquet, fmt, said)


def load_pandas(path, is_parquet, fmt, said):
    import pandas

    if said is None:
        if is_parquet:
            return pandas.read_parquet(path)
        if ";" in fmt:
            from . import oldcsv

            return oldcsv.load(path, fmt)
        return pandas.read_csv(path, encoding="utf-8", float_precision="round_trip")
    if is_parquet:
        from . import parquet as reader
    else:
        from . import csvfile as reader
    frame = reader.load(path, said)
    frame.attrs.update(said.get("attrs", {}))
    return frame


def installed(module):
    """Reports whether a module can be imported."""
    try:
        __import__(module)
    except ImportError:
        return False
    return True
