"""Passes random data frames through the runner's files: python3 frames.py RUNNER MODE FRAMES SECONDS SEED.

MODE is csv (pyarrow can't be imported), standin (a stand-in for pyarrow, which changes what it stores in the ways that pyarrow
does) or parquet (the pyarrow that is installed). A frame must come back as it was, or be refused with a message that names
its column. It stops after FRAMES frames, or after SECONDS seconds if that is not 0.
"""

import collections
import datetime
import decimal
import os
import random
import struct
import sys
import tempfile
import time
import traceback
import warnings

import numpy as np
import pandas as pd

RUNNER, MODE, FRAMES, SECONDS, SEED = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
sys.path.insert(0, RUNNER)
if MODE == "csv":
    sys.modules["pyarrow"] = None
if MODE == "standin":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "standin"))

from _pipec_runner import csvfile, frame  # noqa: E402
from _pipec_runner.fault import Fault  # noqa: E402

if MODE == "standin":
    from pyarrow import parquet

    pd.read_parquet = lambda path: parquet.read_table(path).to_pandas()

warnings.simplefilter("ignore")
csvfile.ROWS = 4  # so that frames are written in several parts
r = random.Random(SEED)

WORDS = ["", " ", "NA", "nan", "NaN", "None", "null", "<NA>", "NaT", "True", "False", "1", "001", "1.0", "-0", "1e5", "inf", "2020-01-01", "a", "b", "x,y",
         'say "hi"', '"', '""', "first\rsecond", "first\nsecond", "a\r\nb", "\r", "\n", " lead", "trail ", "\t", "\ufeff", "\ufeffa", "p\u00e4per", "\U0001f600",
         "\u2028", "\x1f", "\x85", "#", "'", "\\", "\\n", ";", "=1+1", "a" * 3000, "\x7f", "\u00a0"]


def text():
    if r.random() < 0.7:
        return r.choice(WORDS)
    return "".join(r.choice("ab,\"\r\n\t \\;\u00e4\u20ac\U0001f600NA01-.\ufeff") for _ in range(r.randrange(8)))


def some_float():
    kind = r.random()
    if kind < 0.3:
        return r.choice([0.0, -0.0, 1.0, 0.1, float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308, 1e20, 2.0**53 + 2])
    if kind < 0.6:
        return struct.unpack("d", struct.pack("Q", r.getrandbits(64)))[0]
    return r.uniform(-100, 100)


def some_int(bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return r.choice([low, high, 0, 1, r.randint(low, high), max(low, min(high, r.randint(-9, 9)))])


def gaps(values, *kinds):
    """Replaces some values with missing ones."""
    kinds = [k for k in kinds if r.random() < 0.6]
    return [r.choice(kinds) if kinds and r.random() < 0.3 else v for v in values]


def stamp():
    return r.choice([0, 10**18, -1, 86400 * 10**9 * r.randrange(-9000, 20000), 10**9 * r.randrange(-10**9, 10**9), 1000 * r.getrandbits(40), r.getrandbits(60)])


def stamps(n):
    values = [stamp() for _ in range(n)]
    if r.random() < 0.4:
        values = [v - v % (86400 * 10**9) for v in values]
    out = np.array(values, dtype="int64").view("M8[ns]")
    if n and r.random() < 0.5:
        out[r.randrange(n)] = "NaT"
    return out


def of_objects(values):
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return pd.Series(out, dtype=object)


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=1)),
         datetime.timezone(datetime.timedelta(hours=-3, minutes=-30)), datetime.timezone(datetime.timedelta(minutes=7))]


def category(n):
    kind = r.choice(["text", "int", "float", "time", "bool", "interval"])
    values = {
        "text": lambda: list(dict.fromkeys(text() for _ in range(5))),
        "int": lambda: r.sample(range(-20, 200), 6),
        "float": lambda: [0.5, 1e20, -1.25],
        "time": lambda: list(pd.to_datetime(["2020-01-01", "2019-05-05 01:02:03"])),
        "bool": lambda: [True, False],
        "interval": lambda: list(pd.interval_range(0, 3)),
    }[kind]()
    if r.random() < 0.5:
        values = sorted(values)
    codes = [r.randrange(-1 if r.random() < 0.5 else 0, len(values)) for _ in range(n)]
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(values), ordered=r.random() < 0.5))


def nullable(n):
    name = r.choice(["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "boolean", "string"])
    if name == "string":
        return pd.Series(pd.array(gaps([text() for _ in range(n)], pd.NA), dtype="string"))
    if name == "boolean":
        return pd.Series(pd.array(gaps([r.random() < 0.5 for _ in range(n)], pd.NA), dtype="boolean"))
    if name.startswith("Float"):
        values = [v if v == v else 1.5 for v in (some_float() for _ in range(n))]
        with np.errstate(all="ignore"):
            return pd.Series(pd.array(gaps(values, pd.NA), dtype=name)) if name == "Float64" else pd.Series(pd.array(np.array(values, "float32"), dtype=name))
    bits, signed = int(name.lstrip("UIntu")), name.startswith("I")
    values = np.array([some_int(bits, signed) for _ in range(n)], dtype=name.lower())
    return pd.Series(pd.arrays.IntegerArray(values, np.array([r.random() < 0.2 for _ in range(n)], dtype=bool)))


# Columns that both csv and parquet store. A refusal of one of them is a failure, except for those that parquet refuses.
def stored(n):
    kind = r.randrange(16)
    if kind == 0:
        name = r.choice(["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
        return pd.Series(np.array([some_int(int(name.lstrip("uint")), name[0] == "i") for _ in range(n)], dtype=name))
    if kind == 1:
        with np.errstate(all="ignore"):
            return pd.Series(np.array(gaps([some_float() for _ in range(n)], float("nan")), dtype=r.choice(["float32", "float64", "float64"])))
    if kind == 2:
        return pd.Series(np.array([r.random() < 0.5 for _ in range(n)], dtype=bool))
    if kind in (3, 4, 5):
        return of_objects(gaps([text() for _ in range(n)], None, float("nan"), *([pd.NA, pd.NaT] if r.random() < 0.2 else [])))
    if kind == 6:
        return pd.Series(stamps(n))
    if kind == 7:
        return pd.Series(pd.DatetimeIndex(stamps(n)).tz_localize("UTC").tz_convert(r.choice(ZONES)))
    if kind == 8:
        return pd.Series(np.array([stamp() for _ in range(n)], dtype="int64").view("m8[ns]"))
    if kind == 9:
        while True:
            made = category(n)
            if not isinstance(made.cat.categories, pd.IntervalIndex):
                return made
    if kind in (10, 11):
        return nullable(n)
    if kind == 12:
        return of_objects(gaps([datetime.date.fromordinal(r.randrange(1, 3652059)) for _ in range(n)], None, float("nan")))
    if kind == 13:
        return of_objects(gaps([r.random() < 0.5 for _ in range(n)], None))
    if kind == 14:
        return of_objects([r.randrange(-5, 5) for _ in range(n)])
    return of_objects([r.choice([None, float("nan")])] * n)


def doubtful(n):
    """A column that may be refused."""
    kind = r.randrange(15)
    if kind == 0:
        return of_objects([[text() for _ in range(r.randrange(3))] for _ in range(n)])
    if kind == 1:
        return of_objects([{"a": 1} for _ in range(n)])
    if kind == 2:
        return of_objects([decimal.Decimal(r.randrange(1000)).scaleb(-2) for _ in range(n)])
    if kind == 3:
        return of_objects([r.choice([1, "1", 1.0, True, None, datetime.date(2020, 1, 1)]) for _ in range(n)])
    if kind == 4:
        return pd.Series(np.array([complex(some_float(), 1) for _ in range(n)], dtype="complex128"))
    if kind == 5:
        return pd.Series(pd.arrays.SparseArray(np.array([r.choice([0, 0, 1]) for _ in range(n)], dtype="int64")))
    if kind == 6:
        return pd.Series(pd.interval_range(0, n)) if n else pd.Series(pd.IntervalIndex.from_tuples([(0, 1)])[:0])
    if kind == 7:
        return of_objects(["a\0b"] * n)
    if kind == 8:
        return of_objects(["a\udc80"] * n)
    if kind == 9:
        return of_objects([b"x"] * n)
    if kind == 10:
        return of_objects([10 ** r.randrange(40) for _ in range(n)])
    if kind == 11:
        return pd.Series(pd.PeriodIndex(gaps(["2020-%02d-01" % r.randrange(1, 13) for _ in range(n)], pd.NaT), freq=r.choice(["D", "M", "Q", "A", "W", "H", "T"])))
    if kind == 12:
        return of_objects(gaps([some_float() for _ in range(n)], None))
    if kind == 13:
        return pd.Series(np.array([some_float() for _ in range(n)], dtype="float64").astype(r.choice([">f8", "float16"])))
    return of_objects([(1, 2)] * n)


def names(n):
    return [r.choice([None, "x", "", 0, ("a", 1), "column"]) for _ in range(n)]


def some_index(n):
    kind = r.randrange(14)
    if kind < 4:
        return pd.RangeIndex(n)
    if kind == 4:
        return pd.RangeIndex(5, 5 + 2 * n, 2, name=r.choice([None, "k", 3]))
    if kind == 5:
        return pd.Index([text() for _ in range(n)], dtype=object, name=r.choice([None, "k", ""]))
    if kind == 6:
        return pd.Index([r.randrange(5) for _ in range(n)], dtype="int64", name=names(1)[0])
    if kind == 7:
        return pd.date_range("2020-03-28", periods=n, freq=r.choice(["D", "H", "MS", "W-TUE", "B", "15T", "-1D", "Q-FEB"]), tz=r.choice([None, None, "UTC", "Europe/Berlin"]), name="at")
    if kind == 8:
        return pd.timedelta_range("1h", periods=n, freq=r.choice(["H", "36T", "D"]))
    if kind == 9:
        return pd.MultiIndex.from_arrays([[text() for _ in range(n)], [r.randrange(3) for _ in range(n)]], names=names(2))
    if kind == 10:
        return pd.CategoricalIndex(category(n).array)
    if kind == 11:
        return pd.Index([r.choice([0.5, float("nan"), -0.0]) for _ in range(n)], dtype="float64")
    if kind == 12:
        return pd.period_range("2020-01", periods=n, freq="M")
    return pd.DatetimeIndex(stamps(n))


def some_labels(n):
    kind = r.randrange(12)
    if kind < 5:
        return pd.Index(["column %d" % i for i in range(n)], dtype=object)
    if kind == 5:
        return pd.Index([text() for _ in range(n)], dtype=object, name=r.choice([None, "k"]))
    if kind == 6:
        return pd.RangeIndex(n) if r.random() < 0.5 else pd.Index([r.randrange(9) for _ in range(n)], dtype="int64")
    if kind == 7:
        return pd.MultiIndex.from_arrays([[text() for _ in range(n)], [r.randrange(3) for _ in range(n)]], names=names(2))
    if kind == 8:
        return pd.date_range("2020", periods=n, freq="D", name=r.choice([None, "day"]))
    if kind == 9:
        return pd.Index([r.choice(["a", 1, None, True, 1.5, ("a", 1)]) for _ in range(n)], dtype=object, tupleize_cols=False)
    if kind == 10:
        return pd.Index([r.choice(["a", "a", "b", "a.1", "Unnamed: 0"]) for _ in range(n)], dtype=object)
    return pd.CategoricalIndex([r.choice("abc") for _ in range(n)])


def some_frame():
    """Returns a frame, and whether it may be refused."""
    n, width = r.choice([0, 1, 2, 3, 5, 8, 13]), r.choice([0, 1, 1, 2, 3, 5])
    may = r.random() < 0.25
    columns = [doubtful(n) if may and r.random() < 0.4 else stored(n) for _ in range(width)]
    made = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(n))
    if r.random() < 0.6:
        made.columns = some_labels(width)
        may = may or made.columns.nlevels > 1
    if r.random() < 0.5:
        made.index = some_index(n)
        may = may or getattr(made.index, "categories", None) is not None
    if r.random() < 0.1:
        made.attrs = r.choice([{"unit": "m"}, {"x": [1, 2.0, None]}, {1: 2}])
        may = may or 1 in made.attrs
    return made, may


def kind(v):
    return "nan" if isinstance(v, float) and v != v else type(v).__name__


def equal(got, made):
    pd.testing.assert_frame_equal(got, made, check_exact=True, check_freq=True, check_index_type="exact", check_column_type="exact")
    assert got.attrs == made.attrs, got.attrs
    assert list(map(repr, got.columns)) == list(map(repr, made.columns)), "labels"
    assert [repr(x) for x in got.index.names] == [repr(x) for x in made.index.names], "names"
    for i in range(made.shape[1]):
        a, b = got.iloc[:, i], made.iloc[:, i]
        assert a.dtype == b.dtype, (i, a.dtype, b.dtype)
        assert list(map(kind, a.tolist())) == list(map(kind, b.tolist())), (i, a.tolist(), b.tolist())
        if isinstance(b.dtype, np.dtype) and b.dtype.kind == "f":
            assert np.array_equal(np.signbit(a)[b == 0], np.signbit(b)[b == 0]), (i, "sign of zero")
        if isinstance(b.dtype, pd.CategoricalDtype):
            assert list(a.cat.categories) == list(b.cat.categories) and a.cat.ordered == b.cat.ordered


def main():
    counts = collections.Counter()
    end = time.monotonic() + SECONDS
    path = os.path.join(tempfile.mkdtemp(), "frame")
    n = 0
    while time.monotonic() < end if SECONDS else n < FRAMES:
        n += 1
        made, may = some_frame()
        before = made.copy(deep=True)
        try:
            try:
                fmt = frame.save(made, path, "table")
            except Fault as e:
                if not may:
                    raise
                assert "output 'table'" in str(e) and "not come back" in str(e), str(e)
                counts["refused"] += 1
                continue
            with open(path, "rb") as f:
                assert f.read(4) == b"PAR1" or MODE == "csv"
            equal(frame.load(path, fmt), before)
            equal(made, before)  # it is not changed
            counts["equal"] += 1
        except Exception:
            traceback.print_exc()
            print("frame %d of seed %d (%s)" % (n, SEED, MODE))
            print(before.dtypes, before.index, before.columns, before.to_dict("tight"), sep="\n")
            return 1
    print("%d frames equal, %d refused" % (counts["equal"], counts["refused"]))
    return 0 if counts["equal"] > n * 0.6 else 1


sys.exit(main())
