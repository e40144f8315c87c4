"""The attrs of a frame."""

import json

from .same import same_value
from .unfit import Unfit


def describe(attrs):
    """Describes the attrs of a frame, which may be anything that JSON restores."""
    if not attrs:
        return None
    try:
        fits = same_value(json.loads(json.dumps(attrs, allow_nan=False)), dict(attrs))
    except (TypeError, ValueError, RecursionError):
        fits = False
    if not fits:
        raise Unfit("its attrs contain values that JSON can't restore", "set its attrs to {}")
    return dict(attrs)
