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
ACCOUNT = "With an account"
# The dataset whose first day is as an older release wrote it.
OLD = "with an old day"


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
            wrong = [f"{type(error).__name__}: {str(error).strip().splitlines()[0][:400]}"]
        failures += bool(wrong)
        for line in wrong:
            print(f"{name}, session in {zone}: {label}: {line}")
    print(f"{name}, session in {zone}: {checks} checks, {failures} failed", flush=True)
    sys.exit(4 if failures else 0)


def all_checks(engine, work):
    for label, tables in work["datasets"].items():
        for kind, table in tables.items():
            yield f"{label}/{kind}, types", lambda table=table: types(engine, table)
            yield f"{label}/{kind}, rows", lambda table=table: differ(table, engine.rows(table.folder))
            if label == OLD:
                continue
            if hasattr(engine, "texts"):
                yield f"{label}/{kind}, times as the engine converts them", lambda table=table: converted(engine, table)
            yield f"{label}/{kind}, files of one day", lambda table=table: pruned(engine, table)
    if hasattr(engine, "recipe"):
        blocks = pages.blocks(engine.language)
        for heading in work["recipes"]:
            for label, case in work["cases"].items():
                if heading in blocks:
                    yield f"{label}, recipe {heading!r}", lambda heading=heading, case=case: answered(engine, blocks, heading, case)


    if hasattr(engine, "accounts"):
        for folder, accounts in work["accounts"].items():
            expected = dict.fromkeys(accounts, work["rows"])
            yield f"rows of {', '.join(accounts)}", lambda folder=folder, expected=expected: by_account(engine, folder, expected)


def by_account(engine, folder, expected):
    """Compares the number of rows of each account, which is text."""
    found = engine.accounts(setup(engine.language, folder, ACCOUNT))
    return [] if found == expected else [f"expected {expected}, found {found}"]


def types(engine, table):
    found, wrong = engine.types(table.folder), []
    for column, kind in table.columns.items():
        # Engines infer a date from the name of the folder, or leave it as text. A column of nulls may have any type in pandas.
        allowed = {"day": ("date", "text")}.get(column, (kind,))
        if found.get(column) not in allowed and not (found.get(column) == "list" and is_pandas(engine) and all_null(table, column)):
            wrong.append(f"column {column}: expected {kind}, found {found.get(column)}")
    # Where the column of the folder comes is up to the engine.
    if not wrong and [*table.columns][:-1] != [name for name in found if name != "day"]:
        wrong.append(f"expected the columns {', '.join(table.columns)}, found {', '.join(found)}")
    return wrong


def is_pandas(engine):
    return type(engine).__module__ == "with_pandas"


def all_null(table, column):
    return all(row[column] is None for row in table.rows())


def differ(table, found, columns=None):
    """Returns the first difference in each column."""
    expected = table.rows()
    if len(found) != len(expected):
        return [f"expected {len(expected)} rows, found {len(found)}"]
    keys, wrong = dataset.KEYS[table.kind], []
    expected, found = (sorted(rows, key=lambda row: sort_key(row, keys)) for rows in (expected, found))
    for column in columns or table.columns:
        kind = table.columns[column]
        pairs = ((one, plain(one[column], kind), plain(other.get(column), kind)) for one, other in zip(expected, found))
        different = next((pair for pair in pairs if pair[1] != pair[2]), None)
        if different:
            key = ", ".join(f"{key} {different[0][key]}" for key in keys)
            wrong.append(f"column {column}, first in the row with {key}: expected {different[1]!r}, found {different[2]!r}")
    return wrong


def sort_key(row, keys):
    # A time may be text here, in the form of the engine.
    return [str(row[key] or "").replace("T", " ") for key in keys]


def plain(value, kind):
    """Returns a local time as text, and an instant as microseconds; a time of the wrong sort is returned unchanged, and so differs."""
    if isinstance(value, datetime.datetime):
        if kind == "local" and value.tzinfo is None:
            return str(value)
        if kind == "utc" and value.tzinfo is not None:
            return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date) and kind == "text":
        # `day`, which engines infer from the name of the folder.
        return str(value)
    return value.replace("T", " ") if kind == "local" and isinstance(value, str) else value


def converted(engine, table):
    """Compares local times as text and instants as microseconds, as the engine itself converts them."""
    local, utc = ([name for name, kind in table.columns.items() if kind == wanted] for wanted in ("local", "utc"))
    keys = [key for key in dataset.KEYS[table.kind] if key not in local]
    return differ(table, engine.texts(table.folder, keys, local, utc), local + utc)


def pruned(engine, table):
    day = list(table.days)[1]
    found = set(re.findall(r"day=([0-9-]+)", engine.plan_of_day(table.folder, day)))
    if found != {str(day)}:
        return [f"a query of {day} reads the files of {', '.join(sorted(found)) or 'no day'}"]
    return []


def setup(language, folder, heading=SETUP):
    """Returns the code of the page that opens the dataset, for the dataset in a folder."""
    return pages.blocks(language)[heading].replace("data/", f"{folder}/")


def answered(engine, blocks, heading, case):
    found = engine.recipe(setup(engine.language, case["folder"]), blocks[heading], case["parameters"])
    expected = case["answers"][heading]
    for number, (one, other) in enumerate(zip(expected, found)):
        if list(one) != list(other):
            return [f"expected the columns {list(one)}, found {list(other)}"]
        for column, value in one.items():
            if not same(value, other[column]):
                return [f"column {column}, row {number}: expected {value!r}, found {other[column]!r} (expected row: {one}, found row: {other})"]
    if len(found) != len(expected):
        return [f"expected {len(expected)} rows, found {len(found)}"]
    return []


def same(one, other):
    if isinstance(one, float) and other is not None:
        return abs(one - float(other)) < 1e-6
    return one == other


if __name__ == "__main__":
    main()
