import csv
import io


def extract(customers):
    lines = ["customer,months,left"]
    for i in range(int(customers)):
        months = "" if i % 7 == 0 else i % 24
        lines.append(f"{i},{months},{int(i % 5 == 0)}")
    return "\n".join(lines) + "\n"


def train(table, rows):
    left = sum(int(row["left"]) for row in csv.DictReader(io.StringIO(table)))
    return left / rows
