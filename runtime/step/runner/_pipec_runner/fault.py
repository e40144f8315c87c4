"""What the runner finds wrong, and the words that its messages are made of."""

from .path import stdlib


class Fault(Exception):
    """The user's fault, found by the runner. The message is for the user, as it stands; the cause, where there is one,
    is what was raised meanwhile."""

    def __init__(self, reason, message, cause=None):
        super().__init__(message)
        self.reason = reason
        self.cause = cause


def kind_of(value):
    """The name of a value's type: int, numpy.ndarray, steps.Model."""
    t = type(value)
    root = str(t.__module__).partition(".")[0]
    return t.__name__ if root in ("builtins", "__main__") else root + "." + t.__name__


def shape(value):
    """A value as a message says it: an int, None."""
    if value is None:
        return "None"
    kind = kind_of(value)
    said = ("an " if kind[0] in "aeiouAEIOU" else "a ") + kind
    if hasattr(value, "__next__"):
        said += ", which is computed only when it is read (make it a list)"
    return said


def near(name, names):
    """A suggestion, or nothing."""
    close = stdlib("difflib").get_close_matches(name, names, n=3, cutoff=0.6)
    return "; did you mean %s?" % " or ".join(repr(c) for c in close) if close else ""


def listing(names):
    """Names as a message lists them."""
    return ", ".join(repr(n) for n in names) if names else "none"


def wrong(name, kind, wanted, value):
    """A result of another type than its output's."""
    return Fault("OutputInvalid", "output %r is declared %s, which is %s, and the function returned %s" % (name, kind, wanted, shape(value)))
