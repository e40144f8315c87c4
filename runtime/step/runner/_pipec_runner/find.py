"""Finds the function that `python = "module:function"` names."""

import importlib
import os
import sys

from .fault import Fault, kind_of, listing, near
from .path import comes_from, stdlib


def find(spec, where):
    """Imports the module and returns its function."""
    module_name, _, path = spec.partition(":")
    if not all(part.isidentifier() for part in (module_name + "." + path).split(".")):
        raise Fault("Error", 'python = %r is not of the form "module:function", such as "steps:train" or "package.module:train"' % spec)
    thing = load_module(spec, module_name, where)
    not_shadowed(spec, module_name.partition(".")[0], where)
    for part in path.split("."):
        if not hasattr(thing, part):
            raise Fault(
                "Error",
                "python = %r: the module %r has no function %r%s (its functions: %s)"
                % (spec, module_name, path, near(part, functions(thing, module_name)), listing(functions(thing, module_name)[:20])),
            )
        thing = getattr(thing, part)
    if not callable(thing):
        raise Fault("Error", "python = %r is not a function but of type %s" % (spec, kind_of(thing)))
    return thing


def load_module(spec, name, where):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        # The module itself, or a package that contains it. Anything else is a failed import inside the module.
        if not e.name or name != e.name and not name.startswith(e.name + "."):
            raise
        names = sorted(m.name for m in stdlib("pkgutil").iter_modules([where]))
        raise Fault(
            "Error",
            "python = %r: there is no module %r in the step's code%s (interpreter %s; modules there: %s)"
            % (spec, e.name, near(e.name, names), sys.executable, listing(names[:20])),
        ) from None


def not_shadowed(spec, top, where):
    """Rejects a file of the user with the name of a module that the interpreter has already imported."""
    for name in (top + ".py", os.path.join(top, "__init__.py")):
        if os.path.exists(os.path.join(where, name)) and not comes_from(sys.modules[top], where):
            place = getattr(sys.modules[top], "__file__", None) or "the interpreter"
            raise Fault(
                "Error",
                "python = %r: %s can't be imported, because a module with this name is already imported from %s: rename it"
                % (spec, name, place),
            )


def functions(thing, module_name):
    """Returns the public functions of a module or class: its own, or if there are none, those that it imports."""
    names = sorted(n for n, v in getattr(thing, "__dict__", {}).items() if callable(v) and not n.startswith("_"))
    return [n for n in names if getattr(getattr(thing, n, None), "__module__", None) == module_name] or names
