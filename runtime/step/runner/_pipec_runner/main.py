"""The sequence of a run: request, function, inputs, call, outputs, report."""

import json
import os
import sys

from . import report
from .call import call, python_name, split
from .fault import Fault, listing
from .find import find
from .parameters import check
from .path import give_way


def main(request_path):
    """Executes the request and returns the exit code."""
    with open(request_path, encoding="utf-8") as f:
        request = json.load(f)
    archive = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.argv = [request["function"]]
    give_way(archive, request["dir"])
    try:
        return attempt(request, archive)
    except OSError as e:
        report.say("pipec: the runner's report can't be written: %s\n" % e)
        return 1


def attempt(request, archive):
    """Runs the function and reports the result. An OSError is an error of the report itself."""
    said, code = {}, 0
    try:
        said["formats"] = run(request)
    except Fault as e:
        if e.cause is not None and report.touches(e.cause, request["dir"]):
            report.say(report.users_part(e.cause, archive))
        report.say("pipec: %s\n" % e)
        said, code = {"reason": e.reason, "message": str(e)}, 1
    except SystemExit as e:
        said, code = exited(request, e.code)
    except BaseException as e:
        report.say(report.users_part(e, archive))
        said, code = {"message": report.one_line(e)}, 130 if isinstance(e, KeyboardInterrupt) else 1
        if isinstance(e, ModuleNotFoundError):
            hint = "the interpreter is %s; choose another with PIPEC_PYTHON, a .venv in the project, or the stack's `python`" % sys.executable
            report.say("pipec: %s\n" % hint)
            said["message"] += " (%s)" % hint
    report.write(request, **said)
    return code


def exited(request, code):
    """Handles sys.exit in the user's code. A successful exit is a fault if outputs are missing."""
    if code is not None and not isinstance(code, int):
        report.say("%s\n" % (code,))
        return {"message": str(code)}, 1
    missing = [o["name"] for o in request["outputs"] if not o.get("optional") and not os.path.lexists(o["path"])]
    if code or not missing:
        return {}, code or 0
    message = "%s ended the process with sys.exit before it returned, but the step has outputs: %s" % (request["function"], listing(missing))
    report.say("pipec: %s\n" % message)
    return {"reason": "OutputMissing", "message": message}, 1


def run(request):
    """Loads the inputs, calls the function and stores the outputs. Returns the formats of artifacts by path."""
    if sys.version_info < (3, 8):
        raise Fault("Error", "python steps require Python 3.8 or newer, but %s is %s" % (sys.executable, sys.version.split()[0]))
    spec = request["function"]
    if request["inputs"]:
        from .load import load
    if request["outputs"]:
        from .save import save
    function = find(spec, request["dir"])
    check(spec, function, [python_name(i["name"]) for i in request["inputs"]])
    inputs, frames = {}, {}
    if any(holds(i["type"], "dataframe") for i in request["inputs"]):
        from .annotation import libraries

        frames = libraries(function)
    for i in request["inputs"]:
        if i.get("null"):
            inputs[python_name(i["name"])] = None
            continue
        with guarded("InputInvalid", "input %r of type %s can't be loaded" % (i["name"], i["text"])):
            inputs[python_name(i["name"])] = load(i["path"], i["type"], request["formats"], frames.get(python_name(i["name"])))
    results = split(call(spec, function, inputs), request["outputs"], spec)
    formats = {}
    for o, value in zip(request["outputs"], results):
        if value is None and o.get("optional"):
            continue  # optional and missing
        with guarded("OutputInvalid", "output %r of type %s can't be stored" % (o["name"], o["text"])):
            save(value, o["path"], o["type"], o["name"], formats, o["text"])
    return formats


def holds(t, kind):
    """Reports whether a type is an artifact's kind, or a list or map of it."""
    return t["kind"] == kind or t["kind"] in ("list", "map") and holds(t["elem"], kind)


class guarded:
    """Converts an exception of a loader or a saver to a fault."""

    def __init__(self, reason, what):
        self.reason = reason
        self.what = what

    def __enter__(self):
        return self

    def __exit__(self, kind, e, trace):
        if kind is None or not issubclass(kind, Exception) or issubclass(kind, (Fault, MemoryError)):
            return False
        if issubclass(kind, UnicodeEncodeError):
            why = "it contains %a, half a character (a surrogate), which a text file can't contain" % e.object[e.start]
        elif issubclass(kind, ImportError):
            why = "%s (interpreter %s)" % (e, sys.executable)
        else:
            why = report.one_line(e)
        raise Fault(self.reason, "%s: %s" % (self.what, why), e) from None
