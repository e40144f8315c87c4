"""Lists of positions as short text, so that a table with many columns has a short description."""


def ranges(numbers):
    """Returns [0, 1, 2, 5] as "0-2,5"."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join("%d-%d" % (a, b) if a < b else str(a) for a, b in out)


def unranges(text):
    """Parses the result of ranges."""
    out = []
    for part in text.split(",") if text else []:
        a, _, b = part.partition("-")
        out.extend(range(int(a), int(b or a) + 1))
    return out


def grouped(specs):
    """Returns [spec of column 0, spec of column 1, …] as pairs of the positions and their common spec. None is left out."""
    import json

    groups = {}
    for i, spec in enumerate(specs):
        if spec is not None:
            groups.setdefault(json.dumps(spec), (spec, []))[1].append(i)
    return [[ranges(numbers), spec] for spec, numbers in groups.values()]


def ungrouped(groups):
    """Returns the result of grouped as a dict from position to spec."""
    return {i: spec for numbers, spec in groups for i in unranges(numbers)}
