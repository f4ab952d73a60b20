"""The conversion to JSON lines with Python: duckdb and polars.

With a program's name alone, only tests whether it is installed. With an archive as well, it writes the JSON lines to
standard output and prints to standard error the seconds that took, imports not counted."""

import os
import sys
import tempfile
import time
import zipfile

NAMES = [
    "id", "developer_id", "account_id", "sub_cc_no", "vdn", "agent_id", "operate_time", "operate_id", "operate_type",
    "skill_list", "logon_sn", "operate_sn", "operate_end_time", "renew_flag", "update_time", "month_of_year",
]
INTS = ["sub_cc_no", "vdn", "agent_id", "operate_id", "operate_type", "operate_sn", "renew_flag", "month_of_year"]


def with_duckdb(path, columns, select):
    import duckdb

    # The progress bar of slow queries would go to standard output as well.
    duckdb.sql("SET enable_progress_bar = false")
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        for name in archive.namelist():
            # duckdb does not read ZIP: extracting the member is part of the job.
            file = archive.extract(name, folder)
            duckdb.sql(f"""
                COPY (SELECT {select} FROM read_csv('{file}', header=false, columns={columns},
                                                    timestampformat='%Y-%m-%d %H:%M:%S'))
                TO '/dev/stdout' (FORMAT json)
            """)
            os.remove(file)


def with_duckdb_typed(path):
    columns = {name: "BIGINT" if name in INTS else "TIMESTAMP" if name.endswith("_time") else "VARCHAR" for name in NAMES}
    with_duckdb(path, columns, "* REPLACE (string_split(skill_list, ';') AS skill_list)")


def with_duckdb_text(path):
    with_duckdb(path, dict.fromkeys(NAMES, "VARCHAR"), "*")


def with_polars_typed(path):
    import polars as pl

    schema = {name: pl.Int64 if name in INTS else pl.String for name in NAMES}
    times = [pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S") for name in NAMES if name.endswith("_time")]
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            frame = pl.read_csv(archive.read(name), has_header=False, schema=schema)
            frame.with_columns(*times, pl.col("skill_list").str.split(";")).write_ndjson("/dev/stdout")


def with_polars_text(path):
    import polars as pl

    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            frame = pl.read_csv(archive.read(name), has_header=False, schema=dict.fromkeys(NAMES, pl.String))
            frame.write_ndjson("/dev/stdout")


convert = {
    "duckdb": with_duckdb_typed,
    "duckdb-text": with_duckdb_text,
    "polars": with_polars_typed,
    "polars-text": with_polars_text,
}[sys.argv[1]]
__import__(sys.argv[1].split("-")[0])
if len(sys.argv) == 2:
    sys.exit()
begin = time.perf_counter()
convert(sys.argv[2])
print(time.perf_counter() - begin, file=sys.stderr)
