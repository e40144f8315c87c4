"""Models: joblib's format if joblib is installed, else pickle's. A model that another library has saved is a path."""

import os

from .fault import Fault, shape, wrong
from .path import stdlib

# The first bytes of pickles and joblib's files, for each of joblib's compressions.
MAGIC = (b"\x80", b"x", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"ZF", b"\x5d\x00\x00", b"\x04\x22\x4d\x18")


def load(path):
    """Loads a model, or returns the path of a model of another tool, which the function can read."""
    if os.path.isdir(path):
        return stdlib("pathlib").Path(path)
    with open(path, "rb") as f:
        if not f.read(16).startswith(MAGIC):
            return stdlib("pathlib").Path(path)
    try:
        import joblib
    except ImportError:
        with open(path, "rb") as f:
            return stdlib("pickle").load(f)
    return joblib.load(path)


def save(value, path, name):
    """Stores a model and returns its format."""
    if value is None:
        raise wrong(name, "model", "a model", value)
    try:
        import joblib
    except ImportError:
        joblib = None
    try:
        if joblib is not None:
            joblib.dump(value, path)
            return "joblib"
        with open(path, "wb") as f:
            stdlib("pickle").dump(value, f, protocol=4)
        return "pickle"
    except OSError:
        raise
    except Exception as e:
        raise Fault("OutputInvalid", "output %r is declared model, but %s can't be pickled: %s" % (name, shape(value), e), e) from None
