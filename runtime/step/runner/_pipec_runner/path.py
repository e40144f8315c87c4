"""Where modules come from: the user's code first, the runner's archive never.

The interpreter starts without the user's directory, so that a types.py or a json.py in it breaks neither the
interpreter nor the runner; it stands in sys.path from the moment the user's module is imported.
"""

import importlib
import os
import sys

own = []  # sys.path without the archive and the user's directory
users = []  # the user's directory


def give_way(archive, where):
    """Makes sys.path what the user's code expects, here and in the processes that it starts."""
    sys.path[:] = [p for p in sys.path if p not in (archive, where)]
    own[:], users[:] = sys.path, [where]
    sys.path.insert(0, where)
    sys.path_importer_cache.pop(archive, None)
    old = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = where + os.pathsep + old if old else where


def comes_from(module, where):
    """Says whether a top module or package was found in a directory, itself and not beneath it: an environment with
    Python's own modules may lie there too."""
    places = [getattr(module, "__file__", None)] + list(getattr(module, "__path__", ()))
    where = os.path.abspath(where)
    inside = (where, os.path.join(where, module.__name__))
    return any(p and os.path.dirname(os.path.abspath(p)) in inside for p in places)


def stdlib(name):
    """Imports a module of Python's own, though the user's code may have one of the same name."""
    there = sys.modules.get(name)
    if there is not None and not any(comes_from(there, where) for where in users):
        return there
    given, sys.path[:] = sys.path[:], own or sys.path
    sys.modules.pop(name, None)
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = given
        if there is not None:
            sys.modules[name] = there
