import csv
import io


def count(table, most_missing):
    rows = list(csv.DictReader(io.StringIO(table)))
    cells = [cell for row in rows for cell in row.values()]
    missing = sum(cell == "" for cell in cells)
    print(f"{len(rows)} rows, {missing} of {len(cells)} cells are empty")
    if cells and missing / len(cells) > most_missing:
        raise SystemExit("too much of the table is missing")
    return len(rows)
