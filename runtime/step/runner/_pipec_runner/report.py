"""What the runner says: to the log, and to the wrapper in a report. A function that closes or replaces the standard
streams doesn't silence it."""

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
            pass  # the report still says it


def flush():
    """Brings out first what the function has said."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or an object of the user's
            pass


def write(request, **said):
    """Leaves the report, whole or not at all."""
    temp = request["report"] + ".tmp"
    with open(temp, "w", encoding="utf-8") as f:
        json.dump(said, f)
    os.replace(temp, request["report"])


def one_line(error):
    """An exception's type and the last line of its text. Its own __str__ may fail."""
    lines = "".join(stdlib("traceback").format_exception_only(type(error), error)).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def users_part(error, archive):
    """An exception's traceback without the frames of the runner and the import system, in its causes too."""
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
    """Takes out the headings that have lost all frames under them."""
    for line, after in zip(lines, lines[1:] + [""]):
        if not line.lstrip(" +|").startswith(("Traceback (most", "Exception Group Traceback (most")) or 'File "' in after:
            yield line


def touches(error, where):
    """Says whether an exception went through the user's code."""
    frames = stdlib("traceback").walk_tb(error.__traceback__)
    return any(os.path.abspath(f.f_code.co_filename).startswith(where.rstrip(os.sep) + os.sep) for f, _ in frames)
