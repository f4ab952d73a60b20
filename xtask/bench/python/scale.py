"""Measures what docs/scale.md says of queries with DuckDB and of archives in Spark.

Prints seconds, and those of processors, of the best of several rounds. The rounds with Spark are interleaved.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import shutil
import sys
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ccfs
import duckdb

from bench import KIND, MEMBER, NUMBERS, TIMES, generate, seconds

DAYS = 30
QUERIES = {
    "number of rows of each agent": "SELECT agent_id, count(*) FROM changes GROUP BY ALL",
    "the last skills of each agent": (
        "SELECT agent_id, arg_max(skill_list, (operate_time, id)) FROM changes GROUP BY ALL"
    ),
    "number of agents of each skill in each hour of the day": (
        "SELECT hour(operate_time), skill, count(DISTINCT agent_id) "
        "FROM (SELECT operate_time, agent_id, unnest(skill_list) AS skill FROM changes) GROUP BY ALL"
    ),
    "one of the days: number of rows of each agent": (
        "SELECT agent_id, count(*) FROM changes WHERE day = '2023-04-07' GROUP BY ALL"
    ),
}


def dataset(zip: Path, folder: Path) -> int:
    """Writes the same rows for each of the days, as a pull would. Returns the number of files."""
    for index in range(DAYS):
        day = folder / f"day={date(2023, 4, 1) + timedelta(index)}"
        day.mkdir(parents=True, exist_ok=True)
        file = day / "changes.parquet"
        if file.exists():
            continue
        if index == 0:
            ccfs.to_parquet(zip, file)
        else:
            shutil.copy(next(folder.glob("day=2023-04-01/*")), file)
    return len(list(folder.glob("*/*.parquet")))


def best(works: list[Callable[[], object]], rounds: int) -> list[tuple[float, float]]:
    """Returns the least seconds of each, and the least of this process's processors, in interleaved rounds."""
    times = [[seconds(work) for work in works] for _ in range(rounds)]
    return [
        (min(one[at][0] for one in times), min(one[at][1] for one in times))
        for at in range(len(works))
    ]


def queries(folder: Path, rounds: int) -> None:
    """Runs the queries with DuckDB."""
    session = duckdb.connect()
    session.execute(
        f"CREATE VIEW changes AS FROM read_parquet('{folder}/*/*.parquet', hive_partitioning = true)"
    )
    rows = session.execute("SELECT count(*) FROM changes").fetchall()[0][0]
    works: list[Callable[[], object]] = [
        lambda query=query: session.execute(query).fetchall() for query in QUERIES.values()
    ]
    print(f"DuckDB, {rows:,} rows, seconds and seconds of processors:")
    for name, (wall, cpu) in zip(QUERIES, best(works, rounds), strict=True):
        print(f"  {name:<56} {wall:>7.3f} {cpu:>7.3f}")
    print(f"  at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB of memory")


def spark(zip: Path, folder: Path, rounds: int) -> None:
    """Reads two archives with the data source, and their CSV files, which were unzipped before."""
    import ccfs.spark
    from pyspark.sql import SparkSession, functions

    zips, tables = folder / "zips", folder / "csv"
    for index in range(2):
        zips.mkdir(exist_ok=True)
        tables.mkdir(exist_ok=True)
        shutil.copy(zip, zips / f"{index}.zip")
        with zipfile.ZipFile(zip) as source, source.open(MEMBER) as member:
            with (tables / f"{index}.csv").open("wb") as file:
                shutil.copyfileobj(member, file)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    session.dataSource.register(ccfs.spark.Archives)

    def archives() -> Any:
        return session.read.format("ccfs").option("kind", KIND).load(f"{zips}/*.zip")

    header = (tables / "0.csv").open(encoding="utf-8").readline().strip().split(",")
    types = {name: "bigint" for name in NUMBERS} | {name: "timestamp" for name in TIMES}
    schema = ", ".join(f"{name} {types.get(name, 'string')}" for name in header)

    def unzipped() -> Any:
        rows = session.read.csv(str(tables), header=True, schema=schema)
        return rows.withColumn("skill_list", functions.split("skill_list", ";"))

    assert archives().count() == unzipped().count()
    works: list[Callable[[], object]] = [
        lambda read=read: read().write.format("noop").mode("overwrite").save()
        for read in (archives, unzipped)
    ]
    (ours, _), (theirs, _) = best(works, rounds)
    print("Spark, local[2], two files of the same rows, seconds:")
    print(f"  archives with the data source {ours:.1f}, CSV files that were unzipped before {theirs:.1f}")
    print(f"  the CSV files take {theirs / ours:.1f} times as long")
    session.stop()


def main() -> None:
    """Runs both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    zip = arguments.folder / f"{arguments.rows}.zip"
    generate(zip, arguments.rows)
    folder = arguments.folder / f"scale-{arguments.rows}"
    files = dataset(zip, folder / "dataset")
    print(f"{files} Parquet files of {arguments.rows:,} rows each")
    queries(folder / "dataset", arguments.rounds)
    if importlib.util.find_spec("pyspark"):
        spark(zip, folder, arguments.rounds)
    else:
        print("Spark is not measured: Java is not installed")


if __name__ == "__main__":
    main()
