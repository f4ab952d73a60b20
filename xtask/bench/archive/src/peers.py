"""The readers of Python: zipfile+csv, polars, duckdb.

With a reader's name alone it only sees whether that is installed. With an archive as well it prints the seconds on the
wall (imports not counted) and on the processors, the peak memory in KiB, and the digest."""

import csv
import io
import os
import resource
import sys
import tempfile
import time
import zipfile

NAMES = [
    "id", "developer_id", "account_id", "sub_cc_no", "vdn", "agent_id", "operate_time", "operate_id", "operate_type",
    "skill_list", "logon_sn", "operate_sn", "operate_end_time", "renew_flag", "update_time", "month_of_year",
]
INTS = ["sub_cc_no", "vdn", "agent_id", "operate_id", "operate_type", "operate_sn", "renew_flag", "month_of_year"]
TEXTS = ["id", "developer_id", "account_id", "logon_sn"]


def with_zipfile(path):
    from datetime import datetime

    parse = datetime.fromisoformat
    ints = [NAMES.index(name) for name in INTS]
    texts = [NAMES.index(name) for name in TEXTS]
    rows = numbers = seconds = skills = text = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                for row in csv.reader(io.TextIOWrapper(member, "utf-8", newline="")):
                    rows += 1
                    numbers += sum(int(row[index]) for index in ints)
                    for when in (parse(row[6]), parse(row[12])):
                        seconds += when.hour * 3600 + when.minute * 60 + when.second
                    seconds += parse(row[14]).day
                    skills += len(row[9].split(";"))
                    text += sum(len(row[index]) for index in texts)
    return rows, numbers, seconds, skills, text


def with_polars(path):
    import polars as pl

    total = [0] * 5
    schema = {name: pl.Int64 if name in INTS else pl.String for name in NAMES}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            frame = pl.read_csv(archive.read(name), has_header=False, schema=schema)
            when = [pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S") for name in ("operate_time", "operate_end_time", "update_time")]
            frame = frame.with_columns(*when, pl.col("skill_list").str.split(";"))
            day = [pl.col(name).dt.hour().cast(pl.Int64) * 3600 + pl.col(name).dt.minute().cast(pl.Int64) * 60
                   + pl.col(name).dt.second().cast(pl.Int64) for name in ("operate_time", "operate_end_time")]
            sums = frame.select(
                pl.len().alias("rows"),
                pl.sum_horizontal([pl.col(name).sum() for name in INTS]).alias("numbers"),
                (day[0].sum() + day[1].sum() + pl.col("update_time").dt.day().cast(pl.Int64).sum()).alias("seconds"),
                pl.col("skill_list").list.len().cast(pl.Int64).sum().alias("skills"),
                pl.sum_horizontal([pl.col(name).str.len_bytes().cast(pl.Int64).sum() for name in TEXTS]).alias("text"),
            ).row(0)
            total = [a + b for a, b in zip(total, sums)]
    return tuple(total)


def with_duckdb(path):
    import duckdb

    columns = {name: "BIGINT" if name in INTS else "TIMESTAMP" if name.endswith("_time") else "VARCHAR" for name in NAMES}
    total = [0] * 5
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        for name in archive.namelist():
            # duckdb reads no ZIP: the member is put where it can read it, and that is part of the way.
            file = archive.extract(name, folder)
            sums = duckdb.sql(f"""
                WITH rows AS (SELECT * REPLACE (string_split(skill_list, ';') AS skill_list)
                              FROM read_csv('{file}', header=false, columns={columns}, timestampformat='%Y-%m-%d %H:%M:%S'))
                SELECT count(*), {" + ".join(f"sum({name})" for name in INTS)},
                    sum(epoch(operate_time)::BIGINT % 86400 + epoch(operate_end_time)::BIGINT % 86400 + day(update_time)),
                    sum(len(skill_list)), {" + ".join(f"sum(strlen({name}))" for name in TEXTS)} FROM rows
            """).fetchall()[0]
            os.remove(file)
            total = [a + int(b) for a, b in zip(total, sums)]
    return tuple(total)


reader = {"zipfile": with_zipfile, "polars": with_polars, "duckdb": with_duckdb}[sys.argv[1]]
__import__(sys.argv[1])
if len(sys.argv) == 2:
    sys.exit()
begin = time.perf_counter()
digest = reader(sys.argv[2])
seconds = time.perf_counter() - begin
usage = resource.getrusage(resource.RUSAGE_SELF)
print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, *digest)
