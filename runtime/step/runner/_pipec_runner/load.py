"""Loads an input by its type."""

import json
import os

from .path import stdlib


def load(path, t, formats, library=None):
    """Returns the argument for the file or directory at path. library is the library that a data frame is expected of."""
    kind = t["kind"]
    if kind == "list":
        return [load(os.path.join(path, n), t["elem"], formats, library) for n in sorted(os.listdir(path))]
    if kind == "map":
        with open(os.path.join(path, "index.json"), encoding="utf-8") as f:
            return {k: load(os.path.join(path, n), t["elem"], formats, library) for k, n in sorted(json.load(f).items())}
    if kind == "value" and t.get("value", {}).get("kind") == "string":
        return load_string(path)
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
        from . import array

        return array.load(path)
    if kind == "dataframe":
        from . import frame

        return frame.load(path, formats.get(path, ""), library)
    if kind == "model":
        from . import model

        return model.load(path)
    if kind == "image":
        return load_image(path)
    return stdlib("pathlib").Path(path)  # file, directory, artifact("…"): the function opens them


def load_string(path):
    """Returns the text of a file without its final newline, unless the file is a JSON string."""
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    if text.lstrip(" \t\r\n").startswith('"'):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return text[:-1] if text.endswith("\n") else text


def load_image(path):
    try:
        import PIL.Image
    except ImportError:
        with open(path, "rb") as f:
            return f.read()
    image = PIL.Image.open(path)
    image.load()
    return image
