"""The search path of modules: the user's code comes first, and the runner's archive is not in it.

The interpreter starts without the user's directory, so that a types.py or a json.py in it breaks neither the
interpreter nor the runner. It is in sys.path when the user's module is imported, and afterwards.
"""

import importlib
import os
import sys

own = []  # sys.path without the archive and the user's directory
users = []  # the user's directory


def give_way(archive, where):
    """Sets sys.path to what the user's code expects, in this process and those that it starts."""
    sys.path[:] = [p for p in sys.path if p not in (archive, where)]
    own[:], users[:] = sys.path, [where]
    sys.path.insert(0, where)
    sys.path_importer_cache.pop(archive, None)
    old = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = where + os.pathsep + old if old else where


def comes_from(module, where):
    """Reports whether a top-level module or package is directly in a directory. Below it may be an environment with
    Python's own modules."""
    places = [getattr(module, "__file__", None)] + list(getattr(module, "__path__", ()))
    where = os.path.abspath(where)
    inside = (where, os.path.join(where, module.__name__))
    return any(p and os.path.dirname(os.path.abspath(p)) in inside for p in places)


def stdlib(name):
    """Imports a module of the standard library, even if the user's code has one with the same name."""
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
