"""Where modules come from: the user's code first, the runner's archive never.

The interpreter starts without the user's directory, so that a types.py or a json.py in it breaks neither the
interpreter nor the runner; it stands in sys.path from the moment the user's module is imported.
"""

import importlib
import os
import sys

own = []  # sys.path without the archive and the user's directory


def give_way(archive, where):
    """Makes sys.path what the user's code expects, here and in the processes that it starts."""
    sys.path[:] = [p for p in sys.path if p not in (archive, where)]
    own[:] = sys.path
    sys.path.insert(0, where)
    sys.path_importer_cache.pop(archive, None)
    old = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = where + os.pathsep + old if old else where


def comes_from(module, where):
    """Says whether a module, or a part of a package without a file, was found in a directory."""
    places = [getattr(module, "__file__", None)] + list(getattr(module, "__path__", ()))
    return any(p and os.path.abspath(p).startswith(where.rstrip(os.sep) + os.sep) for p in places)


def stdlib(name):
    """Imports a module of Python's own, though the user's code may have one of the same name."""
    there = sys.modules.get(name)
    if there is not None and not (sys.path and comes_from(there, sys.path[0] or os.sep)):
        return there
    users, sys.path[:] = sys.path[:], own or sys.path
    sys.modules.pop(name, None)
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = users
        if there is not None:
            sys.modules[name] = there
