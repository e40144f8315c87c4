"""Reads csv files of earlier versions of pipec, whose format is written like "csv;na=empty;index=1;text=0-2;dates=3"."""

from .ranges import unranges


def load(path, fmt):
    """Returns a pandas DataFrame."""
    import pandas

    said = dict(p.split("=", 1) for p in fmt.split(";")[1:] if "=" in p)
    options = {"keep_default_na": False, "na_values": [""]} if said.get("na") == "empty" else {}
    levels = int(said.get("index", "0"))
    text, dates = unranges(said.get("text", "")), unranges(said.get("dates", ""))
    options.update(encoding="utf-8", lineterminator="\n", float_precision="round_trip")
    if text:
        names = pandas.read_csv(path, nrows=0, encoding="utf-8", lineterminator="\n").columns
        options["dtype"] = {names[i]: str for i in text}
    frame = pandas.read_csv(path, **options)
    for i in dates:
        frame[frame.columns[i]] = pandas.to_datetime(frame[frame.columns[i]])
    if levels:
        frame = frame.set_index(list(frame.columns[:levels]))
        frame.index.names = [None if str(n).startswith("Unnamed: ") else n for n in frame.index.names]
    if said.get("columns") == "int":
        frame.columns = [int(c) for c in frame.columns]
    return frame
