"""Faults that the runner finds, and helpers for their messages."""

from .path import stdlib


class Fault(Exception):
    """A fault of the user, found by the runner. The message is for the user. The cause is the exception that led to it,
    if there is one."""

    def __init__(self, reason, message, cause=None):
        super().__init__(message)
        self.reason = reason
        self.cause = cause


def kind_of(value):
    """Returns the name of a value's type: int, numpy.ndarray, steps.Model."""
    t = type(value)
    root = str(t.__module__).partition(".")[0]
    return t.__name__ if root in ("builtins", "__main__") else root + "." + t.__name__


def shape(value):
    """Describes a value for a message: an int, None."""
    if value is None:
        return "None"
    kind = kind_of(value)
    said = ("an " if kind[0] in "aeiouAEIOU" else "a ") + kind
    if hasattr(value, "__next__"):
        said += ", which is evaluated lazily (convert it to a list)"
    return said


def near(name, names):
    """Returns a suggestion, or an empty string."""
    close = stdlib("difflib").get_close_matches(name, names, n=3, cutoff=0.6)
    return "; did you mean %s?" % " or ".join(repr(c) for c in close) if close else ""


def listing(names):
    """Lists names for a message."""
    return ", ".join(repr(n) for n in names) if names else "none"


def wrong(name, kind, expected, value):
    """Returns the fault of a result that does not have its output's type."""
    return Fault("OutputInvalid", "output %r is declared %s: expected %s, but the function returned %s" % (name, kind, expected, shape(value)))
