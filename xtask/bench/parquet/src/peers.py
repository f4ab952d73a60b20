"""The conversion of a ZIP to Parquet with Python: duckdb, polars and pyarrow.

With a program's name alone, only tests whether it is installed. With an archive and a file as well, it writes the file
and prints to standard error the seconds that took, imports not counted."""

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
TIMES = [name for name in NAMES if name.endswith("_time")]


def with_duckdb(path, out):
    import duckdb

    columns = {name: "BIGINT" if name in INTS else "TIMESTAMP" if name in TIMES else "VARCHAR" for name in NAMES}
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        # duckdb does not read ZIP: extracting the member is part of the job.
        files = [archive.extract(name, folder) for name in archive.namelist()]
        duckdb.sql(f"""
            COPY (SELECT * REPLACE (string_split(skill_list, ';') AS skill_list)
                  FROM read_csv({files}, header=false, columns={columns}, timestampformat='%Y-%m-%d %H:%M:%S'))
            TO '{out}' (FORMAT parquet, COMPRESSION snappy)
        """)


def with_polars(path, out):
    import polars as pl

    schema = {name: pl.Int64 if name in INTS else pl.String for name in NAMES}
    times = [pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S") for name in TIMES]
    with zipfile.ZipFile(path) as archive:
        frames = [pl.read_csv(archive.read(name), has_header=False, schema=schema) for name in archive.namelist()]
        frame = pl.concat(frames).with_columns(*times, pl.col("skill_list").str.split(";"))
        frame.write_parquet(out, compression="snappy")


def with_pyarrow(path, out):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.parquet

    types = {name: pa.int64() if name in INTS else pa.timestamp("us") if name in TIMES else pa.string() for name in NAMES}
    read = pa.csv.ReadOptions(column_names=NAMES)
    convert = pa.csv.ConvertOptions(column_types=types, timestamp_parsers=["%Y-%m-%d %H:%M:%S"])
    writer = None
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                table = pa.csv.read_csv(member, read_options=read, convert_options=convert)
            index = NAMES.index("skill_list")
            table = table.set_column(index, "skill_list", pc.split_pattern(table["skill_list"], ";"))
            writer = writer or pa.parquet.ParquetWriter(out, table.schema, compression="snappy")
            writer.write_table(table)
    writer.close()


convert = {"duckdb": with_duckdb, "polars": with_polars, "pyarrow": with_pyarrow}[sys.argv[1]]
__import__(sys.argv[1])
if sys.argv[1] == "pyarrow":
    import pyarrow.compute
    import pyarrow.csv
    import pyarrow.parquet
if len(sys.argv) == 2:
    sys.exit()
begin = time.perf_counter()
convert(sys.argv[2], sys.argv[3])
print(time.perf_counter() - begin, file=sys.stderr)
