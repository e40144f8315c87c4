"""Results that are files, or the bytes of one."""

import os

from .fault import Fault, wrong
from .path import stdlib


def is_path(value):
    """Reports whether a value is a path. A str is one if the output is a file or a directory."""
    return isinstance(value, (str, os.PathLike))


def is_bytes(value):
    """Reports whether a value has one of Python's types for bytes."""
    return isinstance(value, (bytes, bytearray, memoryview))


def save(value, path, name, kind):
    """Stores bytes, or the file or directory at a path."""
    if is_bytes(value) and kind != "directory":
        with open(path, "wb") as f:
            f.write(value)
        return
    expected = "the bytes" if kind == "bytes" else "the path of a directory" if kind == "directory" else "the path of a file, or bytes"
    if not is_path(value) or kind == "bytes" and isinstance(value, str):
        raise wrong(name, kind, expected, value)
    what = "directory" if kind == "directory" else "file"
    if not (os.path.isdir(value) if what == "directory" else os.path.isfile(value)):
        raise missing(name, kind, value, "no " + what)
    take(value, path)


def missing(name, kind, value, what):
    """Returns the fault of a path that does not exist."""
    return Fault("OutputInvalid", "output %r is declared %s, but the function returned the path %r, where there is %s" % (name, kind, os.fspath(value), what))


def take(source, path):
    """Moves a file that the function created in the step's directories, and copies others."""
    source = os.path.abspath(os.fspath(source))
    if source == path:
        return
    shutil = stdlib("shutil")
    mine = [os.path.realpath(d) + os.sep for d in map(os.environ.get, ("TMPDIR", "HOME", "PIPEC_OUTPUTS")) if d]
    if any(os.path.realpath(source).startswith(d) for d in mine) and not os.path.islink(source):
        shutil.move(source, path)
    elif os.path.isdir(source):
        shutil.copytree(source, path, symlinks=True)
    else:
        shutil.copyfile(source, path)
