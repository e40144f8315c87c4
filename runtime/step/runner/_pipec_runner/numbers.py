"""Numbers as JSON. A number that JSON or a float can't hold is refused."""

import math

from .fault import Fault, shape

WIDEST = 512  # bits of an integer that pipec stores exactly


def bad(name, at, said, why=""):
    return Fault("OutputInvalid", "output %r %s%s%s" % (name, said, " at " + at if at else "", why))


def whole(v, name, at):
    if v.bit_length() > WIDEST:
        raise bad(name, at, "contains an integer of %d bits" % v.bit_length(), ", but a number has at most %d: return it as text" % WIDEST)
    return v


def finite(v, name, at):
    if not math.isfinite(v):
        raise bad(name, at, "contains %r" % v, ", which is not a number in JSON: return None in its place (in an output of type any), or text such as %r" % str(v))
    return v


def exact(v, name, at):
    """Converts a Decimal, a Fraction or a longdouble of numpy: to an int if it is an integer, else to the equal float."""
    if v != v or v == math.inf or v == -math.inf:
        return finite(float(v), name, at)
    try:
        number = float(v)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise bad(name, at, "contains %s that no float can hold" % shape(v), ": return it as text (str)")
    if type(v).__module__.partition(".")[0] == "numpy":  # a longdouble
        same = type(v)(number) == v
    elif hasattr(v, "numerator"):  # a Fraction
        if v.denominator == 1:
            return int(v)
        same = type(v)(repr(number)) == v or type(v)(number) == v
    else:
        if v == v.to_integral_value() and v.adjusted() < 160:
            return int(v)
        same = type(v)(repr(number)) == v
    if not same:
        raise bad(name, at, "contains %s with more digits than a float holds" % shape(v), ": return float(…) of it, or text (str)")
    return number
