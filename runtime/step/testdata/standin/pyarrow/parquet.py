"""Files of the stand-in. They start and end like parquet files."""

import pickle

from . import Schema, Table


def write_table(table, path):
    with open(path, "wb") as f:
        f.write(b"PAR1" + pickle.dumps((table.frame, table.foreign)) + b"PAR1")


def read(path):
    with open(path, "rb") as f:
        return pickle.loads(f.read()[4:-4])


def read_schema(path):
    return Schema(read(path)[0])


def read_table(path, columns=None, use_pandas_metadata=False):
    frame, foreign = read(path)
    return Table(frame if columns is None else frame[columns], foreign)
