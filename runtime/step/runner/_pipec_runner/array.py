"""Arrays of numpy, as npy files. An array that npy would change is refused."""

from . import files
from .fault import Fault, kind_of, wrong


def load(path):
    import numpy

    return numpy.load(path, allow_pickle=False)


def save(value, path, name):
    """Stores an array, a list of numbers or text, or an object that numpy can convert. Returns the format."""
    import numpy

    if files.is_path(value) or files.is_bytes(value) or value is None or isinstance(value, (dict, set, frozenset)):
        raise wrong(name, "ndarray", "a numpy array", value)
    array = converted(value, name)
    why, fix = refused(array)
    if why:
        raise Fault("OutputInvalid", "output %r is declared ndarray, but the array %s: %s" % (name, why, fix))
    with open(path, "wb") as f:
        numpy.save(f, array, allow_pickle=False)
    return "npy"


def converted(value, name):
    """Returns a value as an array. A list must have the same elements as its array."""
    import numpy

    if isinstance(value, numpy.ndarray):
        return value
    try:
        array = numpy.asanyarray(value)
    except ValueError as e:
        raise Fault("OutputInvalid", "output %r is declared ndarray, but the function returned a value that is not an array: %s" % (name, e)) from None
    if isinstance(value, (list, tuple)) and not array.dtype.hasobject and not alike(value, array):
        raise Fault(
            "OutputInvalid", "output %r is declared ndarray, but the function returned a %s whose elements numpy would convert to %s: "
            "convert it to an array with numpy.array(result, dtype=…)" % (name, kind_of(value), array.dtype),
        )
    return array


def alike(value, array):
    """Reports whether a list has the elements of an array: the same numbers, or the same text."""
    if isinstance(value, (list, tuple)):
        return array.ndim > 0 and len(value) == len(array) and all(map(alike, value, array))
    if not isinstance(value, (str, bytes, bool, int, float, complex)):
        return True  # an array, or a scalar of numpy
    item = array.tolist()
    return isinstance(item, (str, bytes)) == isinstance(value, (str, bytes)) and (item == value or item != item and value != value)


def refused(array):
    """Returns what npy would change of an array, and what to do; or empty text."""
    import numpy

    if isinstance(array, numpy.ma.MaskedArray):
        return "is masked, and npy does not store the mask", "return filled(…) of it, or a dict with its data and mask, declared as model"
    if type(array) not in (numpy.ndarray, numpy.memmap):
        return "is a %s, which would come back as a numpy.ndarray" % kind_of(array), "return numpy.asarray(…) of it"
    if array.dtype.hasobject:
        return (
            "contains Python objects (dtype %s), which npy can't store safely" % array.dtype,
            "convert it to a dtype of numbers or text (astype), or declare the output model",
        )
    try:
        stored = numpy.lib.format.descr_to_dtype(numpy.lib.format.dtype_to_descr(array.dtype))
    except (TypeError, ValueError):
        stored = None
    if stored != array.dtype or stored.metadata or array.dtype.metadata:
        return "has the dtype %s, which npy does not restore" % array.dtype, "convert it with astype"
    return "", ""
