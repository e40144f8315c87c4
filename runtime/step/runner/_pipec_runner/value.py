"""Values as JSON: Python's own types, and the corresponding types of numpy, pandas and the standard library."""

import enum
import json
import os

from .conform import check
from .fault import Fault, kind_of, shape
from .numbers import bad, exact, finite, whole
from .path import stdlib

DEEPEST = 400  # below Python's recursion limit, which the user may have changed

ARRAYS = ("numpy", "pandas", "torch", "jax", "jaxlib", "tensorflow", "polars", "pyarrow")


def dump(value, name, t=None, text=""):
    """Returns the JSON of a value output. t is its declared type, and text the same in the language's syntax."""
    try:
        made = plain(value, name, "", 0)
        if t is not None:
            check(made, t, name, text)
        return json.dumps(made, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise too_deep(name) from None


def too_deep(name):
    return Fault("OutputInvalid", "output %r can't be written as JSON: it is nested too deep, or contains itself" % name)


def plain(v, name, at, depth):
    """Converts a value to JSON's own types. `at` is its path in the output."""
    if depth > DEEPEST:
        raise too_deep(name)
    if isinstance(v, enum.Enum):
        v = v.value
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, str):
        return str.__str__(v)
    if isinstance(v, int):
        return whole(int(v), name, at)
    if isinstance(v, float):
        return finite(float(v), name, at)
    if isinstance(v, dict):
        return plain_dict(v, name, at, depth)
    if isinstance(v, (list, tuple)):
        return [plain(e, name, "%s[%d]" % (at, i), depth + 1) for i, e in enumerate(v)]
    if isinstance(v, (set, frozenset)):
        items = [plain(e, name, at + "[…]", depth + 1) for e in v]
        return sorted(items, key=lambda e: (str(type(e)), e) if isinstance(e, (str, int, float)) else (str(type(e)), str(e)))
    if hasattr(type(v), "__dataclass_fields__"):
        fields = {f.name: getattr(v, f.name) for f in stdlib("dataclasses").fields(v)}
        return plain_dict(fields, name, at, depth)
    made = other(v, name, at)
    if made is v:
        raise bad(name, at, "must be a JSON value, but the function returned %s" % shape(v), advice(v))
    return plain(made, name, at, depth + 1)


def plain_dict(v, name, at, depth):
    out = {}
    for k, e in v.items():
        key = k.value if isinstance(k, enum.Enum) else k
        if not isinstance(key, str):
            raise bad(name, at, "has a key of type %s" % kind_of(k), ", but the keys of JSON are text: convert the keys with str(…)")
        key = str.__str__(key)
        if key in out:
            raise bad(name, at, "has the key %r twice" % key, ", as keys of different types")
        out[key] = plain(e, name, "%s[%r]" % (at, key), depth + 1)
    return out


def other(v, name, at):
    """Returns a value for v that is closer to JSON, or v itself if there is none."""
    root = type(v).__module__.split(".")[0]
    if getattr(v, "isoformat", None) and not isinstance(v, type):  # dates and times, pandas' too
        if v != v:
            raise bad(name, at, "contains NaT", ", which is not a time")
        return v.isoformat()
    if root == "numpy" and v.dtype.kind == "M":  # tolist converts some of them to numbers
        import numpy

        if numpy.isnat(v).any():
            raise bad(name, at, "contains NaT", ", which is not a time")
        return numpy.datetime_as_string(v).tolist()
    if root in ARRAYS and type(v).__name__ not in ("DataFrame", "LazyFrame", "Table") and not getattr(getattr(v, "dtype", None), "names", None):
        for convert in ("tolist", "to_pylist", "to_list", "item", "as_py"):
            if hasattr(v, convert):
                made = getattr(v, convert)()
                if type(made) is not type(v):
                    return made
    if hasattr(v, "as_integer_ratio"):
        return exact(v, name, at)
    return v


def advice(v):
    if isinstance(v, os.PathLike):
        return " (the path is removed after the step: declare the output file or directory)"
    if isinstance(v, (bytes, bytearray)):
        return " (decode it, or declare the output bytes)"
    if type(v).__name__ in ("DataFrame", "LazyFrame", "Table"):
        return " (declare the output dataframe, or return its to_dict())"
    if getattr(getattr(v, "dtype", None), "names", None):
        return " (declare the output ndarray, or return a dict)"
    if hasattr(v, "model_dump"):
        return " (return its model_dump())"
    if hasattr(type(v), "__attrs_attrs__"):
        return " (return attrs.asdict(…) of it)"
    if hasattr(v, "total_seconds"):
        return " (return its total_seconds())"
    return ""
