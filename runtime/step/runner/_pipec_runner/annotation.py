"""Which library's data frame a parameter is annotated with: `table: polars.DataFrame`. An annotation may be text, and may
contain the class, as in Optional[polars.DataFrame] or list[polars.DataFrame]."""

import re
import sys

from .path import stdlib

CLASSES = {("polars", "DataFrame"): "polars", ("polars", "LazyFrame"): "polars.LazyFrame", ("pyarrow", "Table"): "pyarrow", ("pandas", "DataFrame"): "pandas"}


def libraries(function):
    """Returns the library for each parameter that has such an annotation."""
    try:
        function = stdlib("inspect").unwrap(function)
    except ValueError:
        pass
    if not hasattr(function, "__annotations__") and hasattr(type(function), "__call__"):
        function = getattr(type(function), "__call__")
    try:
        annotations = dict(getattr(function, "__annotations__", None) or {})
    except Exception:  # Python 3.14 evaluates annotations when they are read
        return {}
    names = getattr(function, "__globals__", {})
    found = {name: library(a, names) for name, a in annotations.items()}
    return {name: one for name, one in found.items() if one}


def library(annotation, names, depth=0):
    """Returns the library of the class that an annotation contains, or None."""
    if isinstance(annotation, str):
        return of_text(annotation, names)
    if isinstance(annotation, type) and not getattr(annotation, "__args__", None):
        return CLASSES.get((str(annotation.__module__).partition(".")[0], annotation.__name__))
    if hasattr(annotation, "__forward_arg__"):
        return of_text(annotation.__forward_arg__, names)
    if depth > 5:
        return None
    inner = [library(a, names, depth + 1) for a in getattr(annotation, "__args__", None) or ()]
    return next((one for one in inner if one), None)


def of_text(text, names):
    """Looks up the dotted names in the text of an annotation."""
    for dotted in re.findall(r"[^\W\d][\w.]*", text):
        first, *rest = dotted.split(".")
        thing = names.get(first, sys.modules.get(first))
        for part in rest:
            thing = getattr(thing, part, None)
        found = library(thing, names) if isinstance(thing, type) else None
        if found:
            return found
    return None
