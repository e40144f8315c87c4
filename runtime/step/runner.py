# pipec's runner: it calls one function of the user's and does nothing else. It loads the inputs by their types, gives
# them as parameters by name, stores the results by their types, and says in a report what an exit code can't. It needs
# Python 3.8 and its standard library; numpy, pandas and the like are imported when a type asks for them.
#
# usage: runner.py REQUEST.json
import difflib
import importlib
import inspect
import json
import math
import os
import pathlib
import shutil
import sys
import traceback


class Fault(Exception):
    """What the runner finds wrong: the message is for the user, as it stands."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


def kind_of(value):
    t = type(value)
    return t.__name__ if t.__module__ in ("builtins", "__main__") else t.__module__.split(".")[0] + "." + t.__name__


def near(name, names):
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return "; did you mean %s?" % " or ".join(repr(c) for c in close) if close else ""


def listing(names):
    return ", ".join(repr(n) for n in names) if names else "none"


# ---- finding the function


def find(spec, where):
    module_name, _, path = spec.partition(":")
    if not module_name or not path:
        raise Fault("Error", "python = %r is not of the form \"module:function\"" % spec)
    try:
        thing = importlib.import_module(module_name)
    except ModuleNotFoundError as e:
        # The module itself, or a package that it is in; anything else is an import of its own that fails.
        if e.name and (module_name == e.name or module_name.startswith(e.name + ".")):
            import pkgutil

            names = sorted(m.name for m in pkgutil.iter_modules([where]))
            raise Fault(
                "Error",
                "python = %r: there is no module %r in the step's code%s (interpreter %s; modules there: %s)"
                % (spec, e.name, near(e.name, names), sys.executable, listing(names[:20])),
            ) from None
        raise
    for part in path.split("."):
        if not hasattr(thing, part):
            names = sorted(n for n, v in vars(thing).items() if callable(v) and not n.startswith("_")) if hasattr(thing, "__dict__") else []
            own = [n for n in names if getattr(getattr(thing, n), "__module__", None) == module_name] or names
            raise Fault(
                "Error",
                "python = %r: the module %r has no function %r%s (its functions: %s)"
                % (spec, module_name, path, near(part, names), listing(own[:20])),
            )
        thing = getattr(thing, part)
    if not callable(thing):
        raise Fault("Error", "python = %r is not a function but of type %s" % (spec, kind_of(thing)))
    return thing


def check_parameters(spec, function, names):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return  # written in C: the call will tell
    any_name = any(p.kind is p.VAR_KEYWORD for p in parameters)
    takes = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    for p in parameters:
        if p.kind is p.POSITIONAL_ONLY and p.default is p.empty:
            raise Fault("InputInvalid", "%s takes the parameter %r by position only, and inputs are given by name" % (spec, p.name))
        if p.default is p.empty and p.name in takes and p.name not in names:
            raise Fault(
                "InputInvalid",
                "%s has a parameter %r without a default, and the step has no such input%s (its inputs: %s)"
                % (spec, p.name, near(p.name, [n for n in names if n not in takes]), listing(names)),
            )
    for name in names:
        if name not in takes and not any_name:
            raise Fault(
                "InputInvalid",
                "the step has an input %r, and %s has no such parameter%s (its parameters: %s)"
                % (name, spec, near(name, [t for t in takes if t not in names]), listing(takes)),
            )


# ---- loading


def head(path, n=16):
    with open(path, "rb") as f:
        return f.read(n)


def load(path, t, formats):
    kind = t["kind"]
    if kind == "list":
        return [load(os.path.join(path, n), t["elem"], formats) for n in sorted(os.listdir(path))]
    if kind == "map":
        with open(os.path.join(path, "index.json"), encoding="utf-8") as f:
            return {k: load(os.path.join(path, n), t["elem"], formats) for k, n in sorted(json.load(f).items())}
    if kind in ("value", "json"):
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    if kind in ("text", "html"):
        with open(path, encoding="utf-8", newline="") as f:
            return f.read()
    if kind == "bytes":
        with open(path, "rb") as f:
            return f.read()
    if kind == "ndarray":
        import numpy

        return numpy.load(path, allow_pickle=False)
    if kind == "dataframe":
        return load_dataframe(path, formats.get(path, ""))
    if kind == "model":
        return load_model(path)
    if kind == "image":
        return load_image(path)
    return pathlib.Path(path)  # file, directory, artifact("…"): the function opens them


def load_dataframe(path, fmt):
    import pandas

    if head(path, 4) == b"PAR1":
        return pandas.read_parquet(path)
    said = dict(p.split("=", 1) for p in fmt.split(";")[1:] if "=" in p)
    options = {}
    levels = int(said.get("index", "0"))
    if levels:
        options["index_col"] = list(range(levels)) if levels > 1 else 0
    text = unranges(said.get("text", ""))
    dates = unranges(said.get("dates", ""))
    if text or dates:
        with open(path, encoding="utf-8", newline="") as f:
            import csv

            names = next(csv.reader(f))
        options["dtype"] = {names[i]: str for i in text}
    frame = pandas.read_csv(path, **options)
    for i in dates:
        column = frame.columns[i - levels]
        frame[column] = pandas.to_datetime(frame[column])
    if said.get("columns") == "int":
        frame.columns = [int(c) for c in frame.columns]
    if levels == 1 and isinstance(frame.index.name, str) and frame.index.name.startswith("Unnamed: "):
        frame.index.name = None
    return frame


MODEL_MAGIC = (b"\x80", b"x", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"ZF", b"\x5d\x00\x00", b"\x04\x22\x4d\x18")


def load_model(path):
    if os.path.isdir(path) or not head(path).startswith(MODEL_MAGIC):
        return pathlib.Path(path)  # of another tool: the function knows how to read it
    try:
        import joblib
    except ImportError:
        import pickle

        with open(path, "rb") as f:
            return pickle.load(f)
    return joblib.load(path)


def load_image(path):
    try:
        import PIL.Image
    except ImportError:
        with open(path, "rb") as f:
            return f.read()
    image = PIL.Image.open(path)
    image.load()
    return image


# ---- storing


def store(value, path, t, name, formats):
    """Writes a result to path, and into formats how, where the type leaves a choice."""
    kind = t["kind"]
    if kind == "list":
        store_list(value, path, t["elem"], name, formats)
    elif kind == "map":
        store_map(value, path, t["elem"], name, formats)
    elif kind in ("value", "json"):
        text = dump_json(value, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    else:
        said = STORES.get(kind, store_path)(value, path, name, kind)
        if said:
            formats[path] = said


def wrong(name, kind, wanted, value):
    return Fault("OutputInvalid", "output %r is declared %s, which is %s, and the function returned %s" % (name, kind, wanted, shape(value)))


def shape(value):
    if value is None:
        return "None"
    article = "an" if kind_of(value)[0] in "aeiou" else "a"
    return "%s %s" % (article, kind_of(value))


def take(source, path):
    """Moves what the function made in its own directories, and copies what lies elsewhere."""
    source = os.path.abspath(os.fspath(source))
    if source == path:
        return
    mine = [os.path.realpath(d) + os.sep for d in (os.environ.get("TMPDIR"), os.environ.get("HOME"), os.environ.get("PIPEC_OUTPUTS")) if d]
    if any(os.path.realpath(source).startswith(d) for d in mine) and not os.path.islink(source):
        shutil.move(source, path)
    elif os.path.isdir(source):
        shutil.copytree(source, path, symlinks=True)
    else:
        shutil.copyfile(source, path)


def is_path(value):
    return isinstance(value, (str, os.PathLike))


def store_path(value, path, name, kind):
    if kind == "bytes" or kind == "artifact" or kind == "file":
        if isinstance(value, (bytes, bytearray, memoryview)):
            with open(path, "wb") as f:
                f.write(value)
            return ""
    wanted = "the bytes" if kind == "bytes" else "the path of a directory" if kind == "directory" else "the path of a file, or bytes"
    if not is_path(value) or kind == "bytes" and isinstance(value, str):
        raise wrong(name, kind, wanted, value)
    there = os.path.isdir(value) if kind == "directory" else os.path.isfile(value)
    if not there:
        what = "directory" if kind == "directory" else "file"
        raise Fault("OutputInvalid", "output %r is declared %s, and the function returned %r, where there is no %s" % (name, kind, os.fspath(value), what))
    take(value, path)
    return ""


def store_ndarray(value, path, name, kind):
    import numpy

    if is_path(value) or value is None or isinstance(value, (dict, set)):
        raise wrong(name, kind, "a numpy array", value)
    try:
        array = numpy.asanyarray(value)
    except ValueError as e:
        raise Fault("OutputInvalid", "output %r is declared ndarray, and what the function returned is no array: %s" % (name, e)) from None
    if array.dtype.hasobject:
        raise Fault(
            "OutputInvalid",
            "output %r is declared ndarray, and the array holds Python objects (dtype object), which npy can't keep safely: "
            "give it a dtype of numbers or text (astype), or declare the output model" % name,
        )
    with open(path, "wb") as f:
        numpy.save(f, array, allow_pickle=False)
    return "npy"


def ranges(numbers):
    """[0, 1, 2, 5] as "0-2,5": a table with many columns still has a short description."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join("%d-%d" % (a, b) if a < b else str(a) for a, b in out)


def unranges(text):
    out = []
    for part in text.split(",") if text else []:
        a, _, b = part.partition("-")
        out.extend(range(int(a), int(b or a) + 1))
    return out


def store_dataframe(value, path, name, kind):
    import pandas

    if isinstance(value, pandas.Series):
        value = value.to_frame()
    if not isinstance(value, pandas.DataFrame):
        raise wrong(name, kind, "a pandas DataFrame", value)
    try:
        import pyarrow
    except ImportError:
        pyarrow = None
    if pyarrow is not None:
        try:
            value.to_parquet(path, engine="pyarrow")
            return "parquet"
        except (ValueError, TypeError, pyarrow.ArrowException):
            pass  # parquet can't keep these columns; csv can
    plain = isinstance(value.index, pandas.RangeIndex) and value.index.start == 0 and value.index.step == 1 and value.index.name is None
    levels = 0 if plain else value.index.nlevels
    value.to_csv(path, index=not plain)
    said = "csv"
    if levels:
        said += ";index=%d" % levels
    if len(value.columns) and all(type(c) is int or hasattr(c, "dtype") and c.dtype.kind in "iu" for c in value.columns):
        said += ";columns=int"
    dtypes = [(i + levels, d) for i, d in enumerate(value.dtypes)]
    text = ranges([i for i, d in dtypes if pandas.api.types.is_string_dtype(d) and value.iloc[:, i - levels].map(lambda v: isinstance(v, str) or v is None or v != v).all()])
    dates = ranges([i for i, d in dtypes if pandas.api.types.is_datetime64_any_dtype(d)])
    if value.columns.is_unique:
        said += (";text=" + text if text else "") + (";dates=" + dates if dates else "")
    return said if len(said) <= 1000 else "csv" + (";index=%d" % levels if levels else "")


def store_model(value, path, name, kind):
    if value is None:
        raise wrong(name, kind, "a model", value)
    if isinstance(value, os.PathLike):  # a model that another library has saved
        if not os.path.exists(value):
            raise Fault("OutputInvalid", "output %r is declared model, and the function returned the path %r, where there is nothing" % (name, os.fspath(value)))
        take(value, path)
        return ""
    try:
        import joblib
    except ImportError:
        joblib = None
    try:
        if joblib is not None:
            joblib.dump(value, path)
            return "joblib"
        import pickle

        with open(path, "wb") as f:
            pickle.dump(value, f, protocol=4)
        return "pickle"
    except OSError:
        raise
    except Exception as e:
        raise Fault("OutputInvalid", "output %r is declared model, and %s can't be pickled: %s" % (name, shape(value), e)) from None


def store_text(value, path, name, kind):
    if isinstance(value, os.PathLike):
        return store_path(value, path, name, "file")
    if kind == "html" and not isinstance(value, str):
        render = getattr(value, "_repr_html_", None) or getattr(value, "to_html", None)
        value = render() if render else value
    if not isinstance(value, str):
        raise wrong(name, kind, "text (str)", value)
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(value)
    return ""


def store_image(value, path, name, kind):
    if isinstance(value, (bytes, bytearray, memoryview)) or is_path(value):
        return store_path(value, path, name, "file")
    if hasattr(value, "savefig"):  # a matplotlib figure
        value.savefig(path, format="png")
        return "png"
    if hasattr(value, "figure") and hasattr(value.figure, "savefig"):  # its axes
        value.figure.savefig(path, format="png")
        return "png"
    if hasattr(value, "save") and hasattr(value, "mode"):  # a PIL image
        value.save(path, format="PNG")
        return "png"
    raise wrong(name, kind, "a PIL image, a matplotlib figure, bytes or the path of a file", value)


STORES = {
    "ndarray": store_ndarray,
    "dataframe": store_dataframe,
    "model": store_model,
    "html": store_text,
    "text": store_text,
    "image": store_image,
}


def store_list(value, path, elem, name, formats):
    if not isinstance(value, (list, tuple)):
        raise wrong(name, "list(%s)" % elem["kind"], "a list", value)
    os.makedirs(path, exist_ok=True)
    for i, v in enumerate(value):
        store(v, os.path.join(path, "%06d" % i), elem, "%s[%d]" % (name, i), formats)


def store_map(value, path, elem, name, formats):
    if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
        raise wrong(name, "map(%s)" % elem["kind"], "a dict with keys of type str", value)
    import hashlib

    os.makedirs(path, exist_ok=True)
    index = {}
    for k, v in value.items():
        index[k] = hashlib.sha256(k.encode()).hexdigest()[:32]
        store(v, os.path.join(path, index[k]), elem, "%s[%r]" % (name, k), formats)
    with open(os.path.join(path, "index.json"), "w", encoding="utf-8") as f:
        json.dump(index, f, sort_keys=True)


def dump_json(value, name):
    try:
        return json.dumps(plain(value, name, ""), ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise Fault("OutputInvalid", "output %r can't be written as JSON: it is nested too deep, or holds itself" % name) from None


def plain(v, name, at):
    """Makes JSON's own types of numpy's and Python's."""
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return int(v)
    if isinstance(v, float):
        if not math.isfinite(v):
            raise Fault("OutputInvalid", "output %r holds %r%s, which JSON and a number don't have" % (name, float(v), " at " + at if at else ""))
        return float(v)
    if isinstance(v, dict):
        out = {}
        for k, e in v.items():
            if not isinstance(k, (str, int)) or isinstance(k, bool):
                raise Fault("OutputInvalid", "output %r has a key of type %s%s, and keys are text" % (name, kind_of(k), " at " + at if at else ""))
            out[str(k)] = plain(e, name, "%s[%r]" % (at, k))
        return out
    if isinstance(v, (list, tuple)):
        return [plain(e, name, "%s[%d]" % (at, i)) for i, e in enumerate(v)]
    if isinstance(v, (set, frozenset)):
        items = [plain(e, name, at + "[…]") for e in v]
        return sorted(items, key=lambda e: (str(type(e)), e) if isinstance(e, (str, int, float)) else (str(type(e)), str(e)))
    for convert in ("tolist", "item"):  # arrays, and numbers that are like arrays
        if type(v).__module__.split(".")[0] in ("numpy", "pandas", "torch", "jax", "jaxlib", "tensorflow") and hasattr(v, convert):
            made = getattr(v, convert)()
            if type(made) is not type(v):
                return plain(made, name, at)
    raise Fault("OutputInvalid", "output %r is a value, which JSON can hold, and the function returned %s%s" % (name, shape(v), " at " + at if at else ""))


def split(result, outputs, spec):
    names = [o["name"] for o in outputs]
    if not outputs:
        if result is not None:
            print("pipec: %s returned %s, and the step has no outputs: it is ignored" % (spec, shape(result)), file=sys.stderr)
        return []
    if len(outputs) == 1:
        return [result]
    if isinstance(result, dict):
        if set(result) == set(names):
            return [result[n] for n in names]
        missing = [n for n in names if n not in result]
        extra = [k for k in result if k not in names]
        raise Fault(
            "OutputInvalid",
            "%s returned a dict whose keys are not the step's outputs%s%s"
            % (spec, "; missing: " + listing(missing) if missing else "", "; not declared: " + listing(extra) if extra else ""),
        )
    wanted = "a tuple of %d in this order: %s, or a dict with these names" % (len(names), ", ".join(names))
    if not isinstance(result, (tuple, list)):
        raise Fault("OutputInvalid", "the step has %d outputs, so %s returns %s; it returned %s" % (len(names), spec, wanted, shape(result)))
    if len(result) != len(names):
        raise Fault("OutputInvalid", "the step has %d outputs, so %s returns %s; it returned a %s of %d" % (len(names), spec, wanted, kind_of(result), len(result)))
    return list(result)


# ---- the run


def users_part(error):
    """Takes the runner's and the import system's frames out of a traceback, in its causes too."""
    def ours(frame):
        return frame.filename == __file__ or frame.filename.startswith("<frozen importlib") or frame.filename.endswith("/importlib/__init__.py")

    seen = set()
    todo = [traceback.TracebackException(type(error), error, error.__traceback__)]
    first = todo[0]
    while todo:
        te = todo.pop()
        if te is None or id(te) in seen:
            continue
        seen.add(id(te))
        te.stack = traceback.StackSummary.from_list([f for f in te.stack if not ours(f)])
        todo += [te.__cause__, te.__context__] + list(getattr(te, "exceptions", None) or [])
    lines = list(first.format())
    if not first.stack:
        lines = [line for line in lines if not line.startswith("Traceback (")]
    return "".join(lines)


def one_line(error):
    return "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]


def write_report(request, **said):
    temp = request["report"] + ".tmp"
    with open(temp, "w", encoding="utf-8") as f:
        json.dump(said, f)
    os.replace(temp, request["report"])


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        request = json.load(f)
    sys.argv = [request["function"]]
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [request["dir"]] + [p for p in sys.path if p not in (here, request["dir"])]
    try:
        run(request)
    except Fault as e:
        print("pipec: %s" % e, file=sys.stderr)
        write_report(request, reason=e.reason, message=str(e))
        return 1
    except Exception as e:
        sys.stdout.flush()
        print(users_part(e), end="", file=sys.stderr)
        write_report(request, message=one_line(e))
        return 1
    return 0


def run(request):
    spec = request["function"]
    function = find(spec, request["dir"])
    check_parameters(spec, function, [i["name"] for i in request["inputs"]])
    inputs = {}
    for i in request["inputs"]:
        try:
            inputs[i["name"]] = load(i["path"], i["type"], request["formats"])
        except ImportError as e:
            raise Fault("InputInvalid", "input %r of type %s can't be loaded: %s (interpreter %s)" % (i["name"], i["text"], e, sys.executable)) from None
        except MemoryError:
            raise
        except Exception as e:
            raise Fault("InputInvalid", "input %r of type %s can't be loaded: %s" % (i["name"], i["text"], one_line(e))) from None
    result = function(**inputs)
    if inspect.iscoroutine(result):
        import asyncio

        result = asyncio.run(result)
    formats = {}
    for o, value in zip(request["outputs"], split(result, request["outputs"], spec)):
        try:
            store(value, o["path"], o["type"], o["name"], formats)
        except ImportError as e:
            raise Fault("OutputInvalid", "output %r of type %s can't be stored: %s (interpreter %s)" % (o["name"], o["text"], e, sys.executable)) from None
        except (OSError, UnicodeError) as e:
            raise Fault("OutputInvalid", "output %r of type %s can't be stored: %s" % (o["name"], o["text"], one_line(e))) from None
    write_report(request, formats=formats)


if __name__ == "__main__":
    sys.exit(main())
