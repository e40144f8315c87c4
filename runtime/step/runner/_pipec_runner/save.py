"""Stores a result by its output's type."""

import json
import os

from . import files
from .fault import wrong
from .path import stdlib
from .value import dump


def save(value, path, t, name, formats, text=""):
    """Writes a result to path, and its format to formats if the type has several. text is the type in the language's syntax."""
    kind = t["kind"]
    if kind == "list":
        save_list(value, path, t["elem"], name, formats)
    elif kind == "map":
        save_map(value, path, t["elem"], name, formats)
    elif kind == "value":
        write_text(path, dump(value, name, t["value"], text))
    elif kind == "json":
        write_text(path, dump(value, name))
    else:
        said = save_artifact(value, path, name, kind)
        if said:
            formats[path] = said


def save_artifact(value, path, name, kind):
    if kind == "ndarray":
        from . import array

        return array.save(value, path, name)
    if kind == "image":
        return save_image(value, path, name)
    if kind == "dataframe":
        from . import frame

        return frame.save(value, path, name)
    if kind == "model":
        if not isinstance(value, os.PathLike):
            from . import model

            return model.save(value, path, name)
        if not os.path.exists(value):  # a path is a model that another library has saved
            raise files.missing(name, kind, value, "nothing")
        return files.take(value, path)
    if kind in ("text", "html"):
        return save_text(value, path, name, kind)
    return files.save(value, path, name, kind)


def save_list(value, path, elem, name, formats):
    if not isinstance(value, (list, tuple)):
        raise wrong(name, "list(%s)" % elem["kind"], "a list", value)
    os.makedirs(path, exist_ok=True)
    for i, v in enumerate(value):
        save(v, os.path.join(path, "%06d" % i), elem, "%s[%d]" % (name, i), formats)


def save_map(value, path, elem, name, formats):
    if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
        raise wrong(name, "map(%s)" % elem["kind"], "a dict with keys of type str", value)
    os.makedirs(path, exist_ok=True)
    index = {}
    for k, v in value.items():
        index[k] = stdlib("hashlib").sha256(k.encode()).hexdigest()[:32]
        save(v, os.path.join(path, index[k]), elem, "%s[%r]" % (name, k), formats)
    write_text(os.path.join(path, "index.json"), json.dumps(index, sort_keys=True))


def save_text(value, path, name, kind):
    if isinstance(value, os.PathLike):
        return files.save(value, path, name, kind)
    if kind == "html" and not isinstance(value, str):
        render = getattr(value, "_repr_html_", None) or getattr(value, "to_html", None)
        value = render() if render else value
    if not isinstance(value, str):
        raise wrong(name, kind, "text (str)", value)
    write_text(path, value)


def write_text(path, text):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)


def save_image(value, path, name):
    if files.is_bytes(value) or files.is_path(value):
        return files.save(value, path, name, "image")
    if not hasattr(value, "savefig") and hasattr(getattr(value, "figure", None), "savefig"):
        value = value.figure  # the axes of a matplotlib figure
    if hasattr(value, "savefig"):
        value.savefig(path, format="png")
    elif hasattr(value, "save") and hasattr(value, "mode"):  # a PIL image
        value.save(path, format="PNG")
    else:
        raise wrong(name, "image", "a PIL image, a matplotlib figure, bytes or the path of a file", value)
    return "png"
