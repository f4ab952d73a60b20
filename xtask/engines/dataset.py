"""Makes the datasets that the engines read, and the records that they must find in them.

`emulated` has records of a seeded emulator. `edges` has rows written by hand: nulls, long numbers, odd text, and times
around the end of summer time."""

import datetime
import json
import os
import shutil
import subprocess
from zoneinfo import ZoneInfo

import edges
import pages

# The folder of each kind of file, as `docs/analysis.md` names it, and its table.
KINDS = {
    "agentSkillInfo": ("skills", "agent_skill_info"),
    "agentOprInfo": ("operations", "agent_opr_info"),
    "call": ("calls", "call"),
    "record": ("records", "record"),
}
# Columns that identify a row, to compare rows in the same order.
KEYS = {
    "agentSkillInfo": ["id"],
    "agentOprInfo": ["id", "end_time"],
    "call": ["call_id", "caller_no", "call_begin"],
    "record": ["call_id", "caller_no", "call_begin"],
}
DAYS = [datetime.date(2026, 11, day) for day in range(1, 6)]
ROWS, SEED = 300, 17


class Table:
    """One table of a dataset: its folder, columns with their types, and rows by day."""

    def __init__(self, kind, folder, zone):
        self.kind, self.folder, self.zone = kind, folder, zone
        self.columns = {}
        self.days = {}

    def rows(self):
        return [row for rows in self.days.values() for row in rows]


def emulated(ccfs, folder):
    """Makes the dataset of a seeded emulator, and returns its tables by kind."""
    server = subprocess.Popen(
        [ccfs, "serve", "--plain", "--json", "--seed", str(SEED), "--rows", str(ROWS)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        ready = json.loads(server.stdout.readline())
        keys = {f"CCFS_{name.upper()}": ready[name] for name in ("endpoint", "access_key", "secret_key")}
        return {kind: pull(ccfs, folder, kind, "Asia/Shanghai", keys) for kind in KINDS}
    finally:
        server.terminate()
        server.wait()


def pull(ccfs, folder, kind, zone, keys):
    """Pulls one kind of file into a dataset, a day a file, and returns its table."""
    out = os.path.join(folder, KINDS[kind][0])
    arguments = ["--from", str(DAYS[0]), "--to", str(DAYS[-1]), "--convert", "parquet", "--kind", kind]
    run([ccfs, "pull", *arguments, "--tz", zone, "--out", out], env=os.environ | keys)
    table = Table(kind, os.path.join(out, KINDS[kind][1]), zone)
    for day in DAYS:
        read_day(ccfs, table, day, os.path.join(out, f"{kind}_{period(day)}.zip"))
    return table


def by_hand(ccfs, folder):
    """Makes the dataset of the rows in `edges.py`, and returns its tables by kind."""
    tables = {}
    for kind, (name, table) in KINDS.items():
        out = os.path.join(folder, name)
        os.makedirs(out)
        tables[kind] = Table(kind, os.path.join(out, table), edges.ZONE)
        for day, text in edges.FILES[kind].items():
            path = os.path.join(out, f"{period(day)}_{kind}.csv")
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            add_day(ccfs, tables[kind], day, path)
    return tables


def add_day(ccfs, table, day, source):
    """Converts a CSV file to the Parquet file of a day, and reads its records."""
    out = os.path.join(table.folder, f"day={day}", f"{period(day)}.parquet")
    os.makedirs(os.path.dirname(out))
    run([ccfs, "convert", source, "--to", "parquet", "--tz", table.zone, "--output", out])
    read_day(ccfs, table, day, source)


def read_day(ccfs, table, day, source):
    """Reads the records of a day from JSON lines, made from its archive or CSV file."""
    lines = run([ccfs, "convert", source, "--to", "jsonl", "--names"]).splitlines()
    columns = pages.columns(table.kind)
    records = [json.loads(line) for line in lines]
    names = dict.fromkeys(key for record in records for key in record if key not in columns and key != "extra")
    local = [column for column, kind in columns.items() if kind == "local"]
    table.columns = columns | {f"{column}_utc": "utc" for column in local}
    table.columns |= {name: "text" for name in names} | {"extra": "list", "day": "text"}
    table.days[day] = [row(record, columns, local, names, table.zone, day) for record in records]


def row(record, columns, local, names, zone, day):
    """Returns the values that an engine must find for a record of JSON."""
    values = {column: value(record[column], kind) for column, kind in columns.items()}
    for column in local:
        at = values[column]
        # `fold` is 0: of a repeated hour, the earlier one.
        values[f"{column}_utc"] = at and at.replace(tzinfo=ZoneInfo(zone)).astimezone(datetime.timezone.utc)
    values |= {name: record[name] for name in names}
    return values | {"extra": record.get("extra", []), "day": str(day)}


def value(found, kind):
    return datetime.datetime.fromisoformat(found) if found is not None and kind in ("local", "utc") else found


def with_old_day(tables, folder):
    """Copies a dataset; the files of its first day are as an older release wrote them, without the two last columns."""
    import pyarrow.parquet as parquet

    copies = {}
    for kind, table in tables.items():
        copy = Table(kind, os.path.join(folder, *KINDS[kind]), table.zone)
        shutil.copytree(table.folder, copy.folder)
        copy.columns, copy.days = table.columns, dict(table.days)
        first = next(iter(table.days))
        path = os.path.join(copy.folder, f"day={first}", f"{period(first)}.parquet")
        # Reads only the file, which does not have the column `day` of the folder.
        found = parquet.ParquetFile(path).read()
        dropped = found.column_names[-2:]
        parquet.write_table(found.drop_columns(dropped), path)
        copy.days[first] = [row | dict.fromkeys(dropped) for row in table.days[first]]
        copies[kind] = copy
    return copies


def with_accounts(table, folder, accounts):
    """Copies a table for each account, as pulls with `--account` write it. Returns the folder of the datasets."""
    for account in accounts:
        shutil.copytree(table.folder, os.path.join(folder, *KINDS[table.kind], f"account={account}"))
    return folder


def period(day):
    return f"{day:%Y%m%d}T000000_{day:%Y%m%d}T235959"


def run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=120, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout
