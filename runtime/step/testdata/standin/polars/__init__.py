"""A stand-in for polars in tests of the runner on machines without polars: a frame is a dict of lists."""

import pandas
from pyarrow import Table, parquet

Object, Int64, String, Boolean = "Object", "Int64", "String", "Boolean"


class DataFrame:
    def __init__(self, columns):
        self.columns = columns
        types = {int: Int64, str: String, bool: Boolean}
        self.schema = {n: next((types.get(type(v), Object) for v in c if v is not None), Object) for n, c in columns.items()}

    def write_parquet(self, path):
        dtypes = {Int64: "Int64", String: object, Boolean: "boolean"}
        frame = pandas.DataFrame({n: pandas.array(c, dtype=dtypes[self.schema[n]]) for n, c in self.columns.items()})
        parquet.write_table(Table(frame, foreign=True), path)

    def lazy(self):
        return LazyFrame(self)


class LazyFrame:
    def __init__(self, frame):
        self.frame = frame

    def collect(self):
        return self.frame


LazyFrame.__module__ = DataFrame.__module__ = "polars.dataframe.frame"


def plain(v):
    return v.item() if hasattr(v, "item") else v


def read_parquet(path, n_rows=None):
    table = parquet.read_table(path)
    made = DataFrame({n: [None if v is pandas.NA else plain(v) for v in table.frame[n].tolist()] for n in table.frame})
    if n_rows is not None:
        made.columns = {n: c[:n_rows] for n, c in made.columns.items()}
    return made
