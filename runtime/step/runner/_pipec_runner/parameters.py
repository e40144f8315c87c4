"""Compares the function's parameters with the step's inputs before anything is loaded, so that the messages use the terms of
the step instead of Python's."""

import types

from .fault import Fault, listing, near
from .path import stdlib

POSITION, NAME, REST = "by position only", "by name", "any name"


def check(spec, function, names):
    """Checks that every input has a parameter, and that every parameter without a default has an input."""
    parameters = parameters_of(function)
    if parameters is None:
        return  # written in C: errors appear in the call
    any_name = any(kind is REST for _, kind, _ in parameters)
    takes = [name for name, kind, _ in parameters if kind is NAME]
    for name, kind, optional in parameters:
        if kind is POSITION and (not optional or name in names and not any_name):
            raise Fault("InputInvalid", "%s has a positional-only parameter %r, but inputs are passed by name" % (spec, name))
        if kind is NAME and not optional and name not in names:
            raise Fault(
                "InputInvalid",
                "%s has a parameter %r without a default, but the step has no such input%s (its inputs: %s)"
                % (spec, name, near(name, [n for n in names if n not in takes]), listing(names)),
            )
    for name in names:
        if name not in takes and not any_name:
            raise Fault(
                "InputInvalid",
                "the step has an input %r, but %s has no such parameter%s (its parameters: %s)"
                % (name, spec, near(name, [t for t in takes if t not in names]), listing(takes)),
            )


def parameters_of(function):
    """Returns name, kind and whether it has a default, for each parameter; None if the function has no signature."""
    if type(function) is types.FunctionType and not vars(function):
        return of_code(function)  # the common case, without inspect, which is slow to import
    inspect = stdlib("inspect")
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    kinds = {"POSITIONAL_ONLY": POSITION, "POSITIONAL_OR_KEYWORD": NAME, "KEYWORD_ONLY": NAME, "VAR_KEYWORD": REST}
    return [(p.name, kinds[p.kind.name], p.default is not p.empty) for p in found if p.kind.name in kinds]


def of_code(function):
    code = function.__code__
    count, only = code.co_argcount, code.co_posonlyargcount
    needed = count - len(function.__defaults__ or ())
    names = code.co_varnames
    out = [(name, POSITION if i < only else NAME, i >= needed) for i, name in enumerate(names[:count])]
    rest = names[count:count + code.co_kwonlyargcount]
    out += [(name, NAME, name in (function.__kwdefaults__ or {})) for name in rest]
    if code.co_flags & 0x08:  # it takes **rest
        out.append(("", REST, True))
    return out
