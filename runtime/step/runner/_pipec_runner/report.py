"""Output of the runner: log lines, and the report for the wrapper. It works even if a function closes or replaces the
standard streams."""

import importlib
import json
import os
import sys

from .path import stdlib


def say(text):
    """Writes to the step's log."""
    flush()
    try:
        sys.__stderr__.write(text)
        sys.__stderr__.flush()
    except (AttributeError, ValueError, OSError):
        try:
            os.write(2, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass  # the report contains it


def flush():
    """Flushes the function's own output."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or replaced by the user
            pass


def write(request, **said):
    """Writes the report atomically."""
    temp = request["report"] + ".tmp"
    with open(temp, "w", encoding="utf-8") as f:
        json.dump(said, f)
    os.replace(temp, request["report"])


def one_line(error):
    """Returns an exception's type and the last line of its text. Its own __str__ may fail."""
    lines = "".join(stdlib("traceback").format_exception_only(type(error), error)).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def users_part(error, archive):
    """Returns an exception's traceback, including causes, without the frames of the runner and the import system."""
    traceback = stdlib("traceback")
    hidden = (archive + os.sep, "<frozen importlib", "<frozen zipimport", "<frozen runpy")
    asyncio = sys.modules.get("asyncio")
    files = (importlib.__file__, getattr(asyncio, "__file__", None))
    hidden += tuple(os.path.dirname(f) + os.sep for f in files if f)
    first = traceback.TracebackException(type(error), error, error.__traceback__)
    seen, todo = set(), [first]
    while todo:
        te = todo.pop()
        if te is not None and id(te) not in seen:
            seen.add(id(te))
            te.stack = traceback.StackSummary.from_list([f for f in te.stack if not f.filename.startswith(hidden)])
            todo += [te.__cause__, te.__context__] + list(getattr(te, "exceptions", None) or [])
    return "".join(headed(list(first.format())))


def headed(lines):
    """Removes the headings without frames below them."""
    for line, after in zip(lines, lines[1:] + [""]):
        if not line.lstrip(" +|").startswith(("Traceback (most", "Exception Group Traceback (most")) or 'File "' in after:
            yield line


def touches(error, where):
    """Reports whether an exception passed through the user's code."""
    frames = stdlib("traceback").walk_tb(error.__traceback__)
    return any(os.path.abspath(f.f_code.co_filename).startswith(where.rstrip(os.sep) + os.sep) for f, _ in frames)
