"""Passes random arrays and Python values through the runner's files: python3 arrays.py RUNNER all CASES SECONDS SEED.

What comes back must be what was stored, with the same types, or it must have been refused. It stops after CASES cases, or
after SECONDS seconds if that is not 0.
"""

import collections
import json
import os
import random
import struct
import sys
import tempfile
import time
import traceback
import warnings

import numpy as np

RUNNER, CASES, SECONDS, SEED = sys.argv[1], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
sys.path.insert(0, RUNNER)

from _pipec_runner import array, load, value  # noqa: E402
from _pipec_runner.fault import Fault  # noqa: E402

warnings.simplefilter("ignore")
r = random.Random(SEED)

PLAIN = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "U3", "S3", "M8[ns]", "M8[D]", "M8[Y]", "m8[us]", "V5"]
RECORDS = [[("a", "i4"), ("b", "f8")], [("a", "U2"), ("b", "i2", (2,))], {"names": ["x", "y"], "formats": ["u1", "f8"], "offsets": [0, 8], "itemsize": 24}]


def some_dtype():
    if r.random() < 0.15:
        return np.dtype(r.choice(RECORDS))
    return np.dtype(r.choice(PLAIN)).newbyteorder(r.choice("=<>"))


def some_array():
    """Returns an array, and whether it must be refused."""
    dtype = some_dtype()
    shape = r.choice([(), (0,), (3,), (2, 3), (1, 0, 2), (2, 2, 2)])
    count = int(np.prod(shape, dtype=int))
    made = np.frombuffer(r.randbytes(count * dtype.itemsize) if dtype.kind not in "US" else np.array(["ab", "\u00e4"][: dtype.kind == "S" and 1 or 2], dtype=dtype).tobytes() * count, dtype=dtype)[:count]
    if dtype.kind == "b":
        made = np.array([r.random() < 0.5 for _ in range(count)], dtype=dtype)
    if dtype.names and "U" in str(dtype):
        made = np.zeros(count, dtype=dtype)
    made = made.reshape(shape)
    kind = r.randrange(12)
    if kind == 0:
        return np.asfortranarray(made) if made.ndim > 1 else made, False
    if kind == 1 and made.ndim and made.size > 1:
        return made[::-1], False
    if kind == 2:
        return np.array([{}, None], dtype=object), True
    if kind == 3:
        return np.ma.array([1, 2], mask=[True, False]), True
    if kind == 4:
        return np.matrix([[1, 2]]), True
    if kind == 5:
        return np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")]).view(np.recarray), True
    return made, False


def one_array(path):
    made, refused = some_array()
    try:
        array.save(made, path, "a")
    except Fault as e:
        assert refused and "output 'a'" in str(e), (str(e), made.dtype, made.shape)
        return "refused"
    assert not refused, repr(made)
    got = array.load(path)
    assert type(got) is np.ndarray and got.dtype == made.dtype and got.dtype.str == made.dtype.str and got.shape == made.shape, (got.dtype, made.dtype)
    assert made.dtype.names or got.tobytes() == made.tobytes(), (got, made)
    for field in made.dtype.names or ():
        assert got[field].tobytes() == made[field].tobytes()
    return "equal"


def some_value(depth=0):
    kind = r.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return r.choice([0, 1, -1, 10**20, 2**53 + 1, -(2**63), r.getrandbits(500), -r.getrandbits(80)])
    if kind in (2, 3):
        v = r.choice([1.0, -0.0, 0.0, 1e20, 1e308, 5e-324, 0.1, 1e16, 123456789.0, struct.unpack("d", struct.pack("Q", r.getrandbits(64)))[0]])
        return v if v == v and abs(v) != float("inf") else 2.5
    if kind in (4, 5):
        return "".join(r.choice("ab\"\\\r\n\t\0\u00e4\u2028\U0001f600 1.0") for _ in range(r.randrange(6)))
    if kind == 6:
        return [some_value(depth + 1) for _ in range(r.randrange(4))]
    return {some_value(9) if r.random() < 0.05 else "k%d" % i: some_value(depth + 1) for i in range(r.randrange(4))}


def keys(v):
    """Returns the keys of all dicts in a value."""
    if isinstance(v, dict):
        return list(v) + [k for e in v.values() for k in keys(e)]
    return [k for e in v for k in keys(e)] if isinstance(v, list) else []


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)


def one_value(path):
    made = some_value()
    try:
        text = value.dump(made, "a", {"kind": "any"} if made is not None else None, "any")
    except Fault as e:
        assert "output 'a'" in str(e) and not all(isinstance(k, str) for k in keys(made)), str(e)
        return "refused"
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    got = load.load(path, {"kind": "value"}, {})
    assert same(got, made), (got, made)
    json.loads(text, parse_constant=lambda c: 1 / 0)  # neither NaN nor Infinity
    return "equal"


def main():
    counts = collections.Counter()
    end = time.monotonic() + SECONDS
    path = os.path.join(tempfile.mkdtemp(), "file")
    n = 0
    while time.monotonic() < end if SECONDS else n < CASES:
        n += 1
        one = one_array if n % 2 else one_value
        try:
            counts[one.__name__, one(path)] += 1
        except Exception:
            traceback.print_exc()
            print("case %d of seed %d" % (n, SEED))
            return 1
    print(", ".join("%s %s %d" % (*k, v) for k, v in sorted(counts.items())))
    return 0


sys.exit(main())
