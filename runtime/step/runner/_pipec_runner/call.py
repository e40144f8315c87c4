"""Calls the function, and splits its result into one for each output."""

import types

from .fault import Fault, kind_of, listing, shape
from .path import stdlib
from .report import say


def call(spec, function, inputs):
    """Returns the function's result. It runs the coroutine of an `async def`."""
    result = function(**inputs)
    if isinstance(result, types.CoroutineType):
        result = stdlib("asyncio").run(result)
    if isinstance(result, (types.GeneratorType, types.AsyncGeneratorType)):
        raise Fault("Error", "%s is a generator (it contains yield), so it has not run: return the whole result instead, for example a list" % spec)
    return result


def split(result, outputs, spec):
    """Returns one result for each output, in order; None for a missing optional one."""
    names = [o["name"] for o in outputs]
    optional = [o["name"] for o in outputs if o.get("optional")]
    if not outputs:
        if result is not None:
            say("pipec: %s returned %s, but the step has no outputs: the result is ignored\n" % (spec, shape(result)))
        return []
    if len(outputs) == 1:
        return [result]
    if result is None and len(optional) == len(names):
        return [None] * len(names)
    named = by_name(result, names)
    if named is not None:
        missing = [n for n in names if n not in named and n not in optional]
        extra = [k for k in named if k not in names]
        if not missing and not extra:
            return [named.get(n) for n in names]
        raise Fault(
            "OutputInvalid",
            "%s returned %s whose %s are not the step's outputs%s%s"
            % (
                spec, shape(result), "keys" if isinstance(result, dict) else "fields",
                "; missing: " + listing(missing) if missing else "", "; not declared: " + listing(extra) if extra else "",
            ),
        )
    expected = "a tuple of %d in this order: %s, or a dict with these names" % (len(names), ", ".join(names))
    if not isinstance(result, (tuple, list)):
        raise Fault("OutputInvalid", "the step has %d outputs, so %s must return %s; it returned %s" % (len(names), spec, expected, shape(result)))
    if len(result) != len(names):
        raise Fault("OutputInvalid", "the step has %d outputs, so %s must return %s; it returned a %s of %d" % (len(names), spec, expected, kind_of(result), len(result)))
    return list(result)


def by_name(result, names):
    """Returns a result with names as a dict: a dict, a dataclass, or a named tuple with the outputs' names. Its order does
    not count. A name with `-` may be written with `_`. Returns None for any other result."""
    if isinstance(result, dict):
        found = dict(result)
    elif hasattr(type(result), "__dataclass_fields__"):
        found = {f.name: getattr(result, f.name) for f in stdlib("dataclasses").fields(result)}
    elif isinstance(result, tuple) and {python_name(n) for n in names} == set(getattr(result, "_fields", ())):
        found = dict(zip(result._fields, result))
    else:
        return None
    for n in names:
        if n not in found and python_name(n) in found:
            found[n] = found.pop(python_name(n))
    return found


def python_name(name):
    """Returns a label as a Python name, in the form that PIPEC_INPUT_ variables use."""
    return name.replace("-", "_")
