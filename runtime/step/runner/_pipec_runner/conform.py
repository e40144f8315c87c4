"""Compares a value, as JSON, with the type that its output declares. The wrapper checks the type again. Here the messages
use Python's names, and a number is never stored as the text of a string."""

from .fault import Fault

PYTHON = {"string": "text (str)", "number": "a number (int or float)", "bool": "a bool", "list": "a list", "set": "a set or a list",
          "map": "a dict", "object": "a dict", "tuple": "a list"}
FIX = {
    ("string", "number"): "return str(…) of it, or declare the type number", ("string", "bool"): "return str(…) of it, or declare the type bool",
    ("number", "string"): "return int(…) or float(…) of it, or declare the type string",
    ("number", "bool"): "return int(…) of it, or declare the type bool",
    ("bool", "number"): "return bool(…) of it, or declare the type number", ("bool", "string"): "return a bool, or declare the type string",
}


def kind_of_json(value):
    """Returns the kind of a JSON value in the language's terms, and its description in Python's."""
    if value is None:
        return "null", "None"
    if isinstance(value, bool):
        return "bool", "a bool"
    if isinstance(value, str):
        return "string", "a str"
    if isinstance(value, int):
        return "number", "an int"
    if isinstance(value, float):
        return "number", "a float"
    return ("map", "a dict") if isinstance(value, dict) else ("list", "a list")


def check(value, t, name, text, at=""):
    """Raises a Fault if a value does not have a type. text is the type of the output in the language's syntax."""
    kind = t["kind"]
    found, said = kind_of_json(value)
    if kind == "any" and (value is not None or at) or value is None and t.get("optional"):
        return
    expected = {"set": "list", "tuple": "list", "object": "map"}.get(kind, kind)
    if found != expected:
        where = " at %s" % at if at else ""
        fix = FIX.get((kind, found), "")
        if value is None:
            fix = "return a value" + ("" if at else ", or set `optional = true` in the output")
        raise Fault(
            "OutputInvalid", "output %r is declared %s: expected %s%s, but the function returned %s%s"
            % (name, text, PYTHON.get(kind, "a value"), where, said, ": " + fix if fix else ""),
        )
    if expected == "list":
        elems = t.get("elems") if kind == "tuple" else [t["elem"]] * len(value)
        for i, (v, elem) in enumerate(zip(value, elems or [])):
            if elem["kind"] != "any":
                check(v, elem, name, text, "%s[%d]" % (at, i))
    elif expected == "map":
        for key, v in value.items():
            elem = t["elem"] if kind == "map" else t.get("attrs", {}).get(key)
            if elem and elem["kind"] != "any":
                check(v, elem, name, text, "%s[%r]" % (at, key))
