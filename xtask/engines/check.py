"""Compares what one engine, with its session in one time zone, reads with the records, and runs its recipes.

`check.py ENGINE ZONE FILE`, where FILE has what `main.py` pickled. Prints what differs, and exits with 4 if anything does."""

import datetime
import importlib
import pickle
import re
import sys

import dataset
import pages

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
SETUP = "Read the dataset"


def main():
    name, zone, path = sys.argv[1:]
    with open(path, "rb") as file:
        work = pickle.load(file)
    engine = importlib.import_module(f"with_{name}").Engine(zone, work["options"])
    checks = failures = 0
    for label, check in all_checks(engine, work):
        checks += 1
        try:
            wrong = check()
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            failures += 1
            print(f"{name}, session in {zone}: {label}: {wrong}")
    print(f"{name}, session in {zone}: {checks} checks, {failures} failed", flush=True)
    sys.exit(4 if failures else 0)


def all_checks(engine, work):
    for label, tables in work["datasets"].items():
        for kind, table in tables.items():
            yield f"{label}/{kind}, types", lambda table=table: types(engine, table)
            yield f"{label}/{kind}, rows", lambda table=table: differ(table, engine.rows(table.folder))
            if hasattr(engine, "texts"):
                yield f"{label}/{kind}, times as the engine converts them", lambda table=table: converted(engine, table)
            yield f"{label}/{kind}, files of one day", lambda table=table: pruned(engine, table)
    if hasattr(engine, "recipe"):
        blocks = pages.blocks(engine.language)
        for heading in work["recipes"]:
            for label, case in work["cases"].items():
                if heading in blocks:
                    yield f"{label}, recipe {heading!r}", lambda heading=heading, case=case: answered(engine, blocks, heading, case)


def types(engine, table):
    found = engine.types(table.folder)
    for column, kind in table.columns.items():
        # Engines infer a date from the name of the folder, or leave it as text. A column of nulls may have any type in pandas.
        allowed = {"day": ("date", "text")}.get(column, (kind,))
        if found.get(column) not in allowed and not (found.get(column) == "list" and is_pandas(engine) and all_null(table, column)):
            return f"column {column}: expected {kind}, found {found.get(column)}"
    # Where the column of the folder comes is up to the engine.
    for expected, name in zip([*table.columns][:-1], [name for name in found if name != "day"], strict=True):
        if name != expected:
            return f"expected the column {expected}, found {name}"
    return None


def is_pandas(engine):
    return type(engine).__module__ == "with_pandas"


def all_null(table, column):
    return all(row[column] is None for row in table.rows())


def differ(table, found, columns=None):
    """Returns the first difference from the rows of a table, or None."""
    expected = table.rows()
    if len(found) != len(expected):
        return f"expected {len(expected)} rows, found {len(found)}"
    keys = dataset.KEYS[table.kind]
    expected, found = (sorted(rows, key=lambda row: sort_key(row, keys)) for rows in (expected, found))
    # Column after column, so that a column that is wrong everywhere is reported by its name.
    for column in columns or table.columns:
        kind = table.columns[column]
        for number, (one, other) in enumerate(zip(expected, found)):
            one_value, other_value = plain(one[column], kind), plain(other.get(column), kind)
            if one_value != other_value:
                key = ", ".join(f"{key} {one[key]}" for key in keys)
                return f"column {column}, row {number} ({key}): expected {one_value!r}, found {other_value!r}"
    return None


def sort_key(row, keys):
    return [str(row[key] or "").replace("T", " ").removesuffix(".000000") for key in keys]


def plain(value, kind):
    """Returns a local time as text, and an instant as microseconds; a time of the other sort stays as it is, and differs."""
    if isinstance(value, datetime.datetime):
        if kind == "local" and value.tzinfo is None:
            return value.strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000").rjust(19, "0")
        if kind == "utc" and value.tzinfo is not None:
            return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date) and kind == "text":
        return str(value)
    return value.replace("T", " ") if kind == "local" and isinstance(value, str) else value


def converted(engine, table):
    local, utc = ([name for name, kind in table.columns.items() if kind == wanted] for wanted in ("local", "utc"))
    keys = dataset.KEYS[table.kind]
    chosen = [key for key in keys if key not in local] + [key for key in keys if key in local]
    return differ(table, engine.texts(table.folder, [key for key in chosen if key not in local], local, utc), local + utc)


def pruned(engine, table):
    day = list(table.days)[1]
    found = set(re.findall(r"day=([0-9-]+)", engine.plan_of_day(table.folder, day)))
    if found != {str(day)}:
        return f"a query of {day} reads the files of {', '.join(sorted(found)) or 'no day'}"
    return None


def answered(engine, blocks, heading, case):
    setup = blocks[SETUP].replace("data/", f"{case['folder']}/")
    found = engine.recipe(setup, blocks[heading], case["parameters"])
    expected = case["answers"][heading]
    for number, (one, other) in enumerate(zip(expected, found)):
        if list(one) != list(other):
            return f"expected the columns {list(one)}, found {list(other)}"
        for column, value in one.items():
            if not same(value, other[column]):
                return f"column {column}, row {number} ({one}): expected {value!r}, found {other[column]!r}"
    if len(found) != len(expected):
        return f"expected {len(expected)} rows, found {len(found)}"
    return None


def same(one, other):
    if isinstance(one, float) and other is not None:
        return abs(one - float(other)) < 1e-6
    return one == other


if __name__ == "__main__":
    main()
