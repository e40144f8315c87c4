"""Frames of polars and pyarrow. They are stored as parquet. A function gets what its parameter's annotation names, or a
pandas DataFrame if there is none."""

from .fault import Fault, kind_of, wrong

FRAMES = "a DataFrame of pandas or polars, or a pyarrow Table"


def save(value, path, name):
    """Stores a polars DataFrame or a pyarrow Table and returns its format."""
    kind = type(value).__name__
    library = kind_of(value).partition(".")[0]
    if kind == "LazyFrame":
        raise Fault("OutputInvalid", "output %r is declared dataframe: expected %s, but the function returned a polars LazyFrame: return its collect()" % (name, FRAMES))
    if (library, kind) == ("polars", "DataFrame"):
        before, after = save_polars(value, path, name)
    elif (library, kind) == ("pyarrow", "Table"):
        before, after = save_pyarrow(value, path)
    else:
        raise wrong(name, "dataframe", FRAMES, value)
    for (column, was), (_, now) in zip(before, after):
        if was != now:
            raise unfit(name, column, "has the type %s, which would come back as %s" % (was, now))
    if [c for c, _ in before] != [c for c, _ in after]:
        raise Fault("OutputInvalid", "output %r can't be stored as parquet, because the names of its columns would change" % name)
    return 'parquet;{"by":"%s"}' % library


def unfit(name, column, why):
    return Fault("OutputInvalid", "output %r can't be stored as parquet, because it would not come back as it was: the column %r %s: convert it" % (name, column, why))


def save_polars(value, path, name):
    import polars

    before = list(value.schema.items())
    for column, was in before:
        if was == polars.Object:
            raise unfit(name, column, "has the type Object")
    value.write_parquet(path)
    return before, list(polars.read_parquet(path, n_rows=0).schema.items())


def save_pyarrow(value, path):
    from pyarrow import parquet

    parquet.write_table(value, path)
    return [[(f.name, f.type) for f in schema] for schema in (value.schema, parquet.read_schema(path))]


def load(path, is_parquet, fmt, said, library):
    """Loads a frame as a class of a library, or if library is None as one that is installed."""
    from .frame import installed

    if library is None:
        library = next((one for one in ("pandas", "polars", "pyarrow") if installed(one)), None)
        if library is None:
            raise Fault("InputInvalid", "none of pandas, polars and pyarrow is installed, one of which a dataframe requires")
    if library == "pandas":
        return pandas_of(path)
    if library == "pyarrow":
        return pyarrow_of(path, is_parquet, fmt, said)
    import polars

    frame = polars_of(path, is_parquet, fmt, said)
    return frame.lazy() if library == "polars.LazyFrame" and isinstance(frame, polars.DataFrame) else frame


def pandas_of(path):
    """Loads a file of polars or pyarrow with pandas. Integers stay integers, even with missing values among them."""
    import pandas

    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise Fault("InputInvalid", "loading this dataframe with pandas requires pyarrow: install it, or annotate the parameter with polars.DataFrame") from None
    table = parquet.read_table(path)
    frame = table.to_pandas()
    whole = {
        getattr(pyarrow, n.lower())(): getattr(pandas, n + "Dtype")()
        for n in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
    }
    gaps = [i for i, f in enumerate(table.schema) if f.type in whole and table.column(i).null_count]
    if not gaps or frame.shape[1] != table.num_columns:
        return frame
    columns = {i: table.column(i).to_pandas(types_mapper=whole.get) if i in gaps else frame.iloc[:, i] for i in range(frame.shape[1])}
    out = pandas.DataFrame(columns, index=frame.index)
    out.columns = frame.columns
    return out


def pyarrow_of(path, is_parquet, fmt, said):
    if is_parquet:
        from pyarrow import parquet

        return parquet.read_table(path)
    if said or ";" in fmt:
        import pyarrow
        from .frame import load_pandas

        return pyarrow.Table.from_pandas(load_pandas(path, is_parquet, fmt, said or None))
    from pyarrow import csv

    return csv.read_csv(path)


def polars_of(path, is_parquet, fmt, said):
    import polars

    if is_parquet:
        return polars.read_parquet(path)
    if said or ";" in fmt:
        from .frame import load_pandas

        return polars.from_pandas(load_pandas(path, is_parquet, fmt, said or None))
    return polars.read_csv(path)
