"""A stand-in for pyarrow in tests of the runner on machines without pyarrow. It changes what it stores in the ways that
pyarrow does: None instead of NaN in text, arrays instead of lists, int64 instead of Python's integers, no frequency of an
index. It refuses what pyarrow refuses."""

import datetime
import decimal

import numpy as np
import pandas as pd

__version__ = "0.0.0"


class ArrowException(Exception):
    pass


class ArrowInvalid(ValueError, ArrowException):
    pass


def integers():
    """Adds the functions for integer types, int64() and so on."""
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        globals()[name] = lambda name=name: name


integers()


class Field:
    def __init__(self, name, type):
        self.name, self.type = name, type


class ChunkedArray:
    def __init__(self, series):
        self.series = series
        self.null_count = int(series.isna().sum())

    def to_pandas(self, types_mapper=None):
        mapped = types_mapper and types_mapper(str(self.series.dtype).lower())
        if mapped or not isinstance(self.series.dtype, pd.Int64Dtype):
            return self.series
        return self.series.astype("float64" if self.null_count else "int64")


class Table:
    """A pandas DataFrame. A foreign one was not made from pandas: its integers may be missing, and pandas makes them floats."""

    def __init__(self, frame, foreign=False):
        self.frame, self.foreign = frame, foreign
        self.schema = [Field(n, str(frame[n].dtype).lower()) for n in frame] if frame.columns.is_unique else []
        self.num_columns = frame.shape[1]

    def column(self, i):
        return ChunkedArray(self.frame.iloc[:, i])

    @classmethod
    def from_pandas(cls, frame):
        if not frame.columns.is_unique:
            raise ValueError("Duplicate column names found: %s" % list(frame.columns))
        assert all(type(c) is str for c in frame.columns), "the stand-in stores no other names"
        columns = {c: converted(pd.Series(frame[c].array, dtype=frame[c].dtype)) for c in frame.columns}
        out = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), columns=pd.Index(list(columns), dtype=object))
        if isinstance(frame.index, pd.RangeIndex):
            out.index = frame.index
        else:
            out.index = index_of(frame.index)
        return cls(out)

    def to_pandas(self):
        if self.foreign:
            return pd.DataFrame({n: self.column(i).to_pandas() for i, n in enumerate(self.frame)})
        return self.frame.copy()


Table.__module__ = "pyarrow.lib"


def index_of(index):
    anonymous = index.set_names([None] * index.nlevels)
    levels = [pd.Index(converted(pd.Series(anonymous.get_level_values(i)))) for i in range(index.nlevels)]
    out = pd.MultiIndex.from_arrays(levels) if len(levels) > 1 else levels[0]
    return out.set_names([n if n is None else str(n) for n in index.names])


def converted(series):
    dtype = series.dtype
    if dtype == object:
        return of_objects(series.tolist())
    if isinstance(dtype, np.dtype):
        if dtype.kind not in "biufMm" or not dtype.isnative or dtype == "float16":
            raise ArrowInvalid("Unsupported numpy type %s" % dtype)
        return series
    if isinstance(dtype, pd.SparseDtype):
        raise TypeError("Sparse pandas data (column %s) not supported." % series.name)
    if isinstance(dtype, pd.CategoricalDtype):
        if isinstance(dtype.categories, pd.IntervalIndex):
            raise ArrowInvalid("interval categories")
        if dtype.categories.dtype != object or len(series) % 2:  # parquet keeps dictionaries of text only, and not always in order
            return converted(series.astype(dtype.categories.dtype if not series.isna().any() or dtype.categories.dtype.kind in "fM" else object))
        return pd.Series(pd.Categorical.from_codes(series.cat.codes, pd.Index(converted(pd.Series(dtype.categories))), dtype.ordered))
    if isinstance(dtype, pd.DatetimeTZDtype) and isinstance(dtype.tz, datetime.timezone) and dtype.tz is not datetime.timezone.utc:
        import pytz

        return series.dt.tz_convert(pytz.FixedOffset(int(dtype.tz.utcoffset(None).total_seconds()) // 60))
    return series


def of_objects(values):
    gone = [v is None or v is pd.NA or v is pd.NaT or isinstance(v, float) and v != v for v in values]
    kinds = {type(v) for v, g in zip(values, gone) if not g}
    values = [None if g else v for v, g in zip(values, gone)]
    if kinds == {str}:
        for v in values:
            v is None or v.encode("utf-8")
    if kinds == {dict}:
        keys = list(dict.fromkeys(k for v in values if v is not None for k in v))
        values = [v and {k: v.get(k) for k in keys} for v in values]
    elif kinds == {list}:
        if len({type(e) for v in values if v is not None for e in v}) > 1:
            raise ArrowInvalid("cannot mix types")
        [e.encode("utf-8") for v in values if v is not None for e in v if type(e) is str]
        values = [None if v is None else np.array(v, dtype=None if v and type(v[0]) is not str else object) for v in values]
    elif kinds == {bool} and not any(gone):
        return pd.Series(np.array(values, dtype=bool))
    elif kinds == {int}:
        if any(not -(2**63) <= v < 2**63 for v in values if v is not None):
            raise ArrowInvalid("Value too large to fit in C integer type")
        return pd.Series(np.array(values, dtype="float64" if any(gone) else "int64"))
    elif kinds == {float}:
        return pd.Series(np.array([float("nan") if v is None else v for v in values], dtype="float64"))
    elif not kinds <= {str, bytes, bool, datetime.date, decimal.Decimal} or len(kinds) > 1:
        raise ArrowInvalid("Could not convert %r: tried to convert to another type" % values[:1])
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return pd.Series(out, dtype=object)


class Schema:
    def __init__(self, frame):
        self.frame = frame

    def __iter__(self):
        return iter(Table(self.frame).schema)

    def empty_table(self):
        return Table(self.frame.iloc[:0])
