"""The data source of Spark. `cargo xtask python spark` installs what it needs, and runs this file."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import ccfs
import pyarrow
import pytest

from conftest import PACKAGE, Serve
from support import SKILLS, archive, skill_row

pytest.importorskip("pyspark", reason="pyspark is not installed")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("Java is not installed", allow_module_level=True)

import ccfs.spark
from ccfs.types import Kind
from pyspark.sql import DataFrame, SparkSession

# Of pyspark, which the tests do not use with pandas.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")

ZONE = "Asia/Shanghai"
LOCAL = "local[2]"
CLUSTER = "local-cluster[2,1,1024]"
# Columns that identify a row.
KEYS = {
    "agentSkillInfo": ["id"],
    "agentOprInfo": ["id", "end_time"],
    "call": ["call_id", "caller_no", "call_begin"],
    "record": ["call_id", "caller_no", "call_begin"],
}


def session(master: str) -> SparkSession:
    """Returns the session of a process, which has one at a time."""
    active = SparkSession.getActiveSession()
    if active is not None and active.sparkContext.master != master:
        active.stop()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("ccfs")
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.log.level": "OFF",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.master(master).getOrCreate()
    spark.dataSource.register(ccfs.spark.Archives)
    return spark


@pytest.fixture
def spark() -> SparkSession:
    """A session whose tasks run in this process."""
    spark = session(LOCAL)
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


@pytest.fixture(scope="module", autouse=True)
def stopped() -> Iterator[None]:
    """Stops the last session."""
    yield
    active = SparkSession.getActiveSession()
    if active is not None:
        active.stop()


def load(spark: SparkSession, paths: str | list[str], **options: str) -> DataFrame:
    """Returns the records of archives, of changes of skills by default."""
    return spark.read.format("ccfs").options(**{"kind": "agentSkillInfo", **options}).load(paths)


def table(frame: DataFrame, kind: Kind) -> pyarrow.Table:
    """Returns the rows in order, with instants in UTC, as the package has them."""
    return ordered(frame.toArrow(), kind)


def ordered(table: pyarrow.Table, kind: Kind) -> pyarrow.Table:
    """Returns a table in the order of its keys, with instants in UTC."""
    exported: Any = ccfs.schema(kind, table.column_names, ZONE)
    schema = pyarrow.schema(exported)
    cast = table.replace_schema_metadata(None).cast(schema.remove_metadata())
    return cast.sort_by([(name, "ascending") for name in KEYS[kind]]).combine_chunks()


def streamed(paths: Iterable[Path], kind: Kind, **options: Any) -> pyarrow.Table:
    """Returns the rows of archives without Spark."""
    tables = [pyarrow.table(ccfs.open(path).stream(kind, **options)) for path in paths]
    return ordered(pyarrow.concat_tables(tables), kind)


def write_archives(folder: Path, count: int, rows: int) -> list[Path]:
    """Writes archives of changes of skills, and returns their paths."""
    paths = [folder / f"{number}.zip" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(archive(skill_row(number * rows + index) for index in range(rows)))
    return paths


@pytest.mark.parametrize("kind", get_args(Kind))
def test_rows_are_those_of_a_stream_and_of_the_dataset(
    kind: Kind, spark: SparkSession, serve: Serve, tmp_path: Path
) -> None:
    server = serve("--rows", "300")
    client = ccfs.Client(server.endpoint, server.access_key, server.secret_key)
    out = tmp_path / "out"
    client.pull(
        from_="2026-11-01", to="2026-11-03", tz=ZONE, out=out, kind=kind, convert="parquet"
    )
    requests = len(server.requests())
    zips = sorted(out.glob("*.zip"))
    assert len(zips) == 3
    frame = load(spark, str(out), kind=kind, tz=ZONE)
    assert frame.rdd.getNumPartitions() == 3
    found = table(frame, kind)
    assert found.num_rows == 900
    assert found.equals(streamed(zips, kind, tz=ZONE))
    # The folder of the table is the only one.
    [folder] = [path for path in out.iterdir() if path.is_dir() and not path.name.startswith(".")]
    dataset = spark.read.parquet(str(folder))
    assert dataset.drop("day").schema == frame.schema
    assert table(dataset.drop("day"), kind).equals(found)
    assert frame.exceptAll(dataset.drop("day")).count() == 0
    assert len(server.requests()) == requests


def test_the_schema_needs_no_archive(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "damaged.zip").write_bytes(b"not an archive")
    for pattern in ("*.zip", "missing.zip"):
        frame = load(spark, str(tmp_path / pattern), tz=ZONE)
        assert "operate_time_utc" in frame.columns
        assert "operate_time_utc" not in load(spark, str(tmp_path / pattern)).columns
        types = dict(frame.dtypes)
        assert types["agent_id"] == "bigint"
        assert types["operate_time"] == "timestamp_ntz"
        assert types["operate_time_utc"] == types["update_time"] == "timestamp"
        assert types["skill_list"] == "array<string>"
    with pytest.raises(Exception, match=r"damaged\.zip: "):
        load(spark, str(tmp_path / "*.zip")).collect()
    with pytest.raises(Exception, match=r"no archives found: '.*missing\.zip'"):
        load(spark, str(tmp_path / "missing.zip")).collect()


def test_columns_are_selected(spark: SparkSession, tmp_path: Path) -> None:
    [path] = write_archives(tmp_path, 1, 1000)
    frame = load(spark, str(path), columns="skill_list, id,operate_type_name")
    assert frame.columns == ["skill_list", "id", "operate_type_name"]
    wanted = streamed([path], "agentSkillInfo", columns=frame.columns)
    assert table(frame, "agentSkillInfo").equals(wanted)
    ddl = "id string, operate_time timestamp_ntz"
    reader = spark.read.format("ccfs").option("kind", "agentSkillInfo").schema(ddl)
    wanted = streamed([path], "agentSkillInfo", columns=["id", "operate_time"])
    assert table(reader.load(str(path)), "agentSkillInfo").equals(wanted)
    assert load(spark, str(path), columns="id").count() == 1000
    narrow = load(spark, str(path)).where("agent_id = 107").select("agent_id", "id")
    assert narrow.count() == 20


def test_wrong_options_are_errors(spark: SparkSession, tmp_path: Path) -> None:
    [path] = write_archives(tmp_path, 1, 10)
    for options, message in [
        ({"kind": "agents"}, "not a kind of index file; use one of agentSkillInfo"),
        ({"columns": "id,nothing"}, 'no column "nothing"'),
        ({"columns": "id,id"}, "selected twice"),
        ({"on_bad_row": "null"}, 'use "stop" or "skip"'),
        ({"on_bad_rows": "skip"}, "unknown option 'on_bad_rows'; use kind, columns"),
        ({"tz": "Asia/Nowhere"}, "not a time zone"),
    ]:
        with pytest.raises(Exception, match=message):
            load(spark, str(path), **options)
    with pytest.raises(Exception, match='the option "kind" is missing'):
        spark.read.format("ccfs").load(str(path))
    for ddl, message in [
        ("agent_id int", "the column agent_id is bigint, not int; use cast"),
        ("agent bigint", "no column 'agent'"),
    ]:
        reader = spark.read.format("ccfs").option("kind", "agentSkillInfo").schema(ddl)
        with pytest.raises(Exception, match=message):
            reader.load(str(path)).collect()
    places: list[tuple[str | list[str], str]] = [
        ([], "no path"),
        ("s3a://bucket/x.zip", "not a path of a file system"),
    ]
    for location, message in places:
        with pytest.raises(Exception, match=message):
            load(spark, location).collect()


def test_bad_rows_fail_or_are_skipped(spark: SparkSession, tmp_path: Path) -> None:
    write_archives(tmp_path, 1, 10)
    rows = [skill_row(index, "seven" if index == 12 else "") for index in range(10, 20)]
    (tmp_path / "bad.zip").write_bytes(archive(rows))
    with pytest.raises(Exception, match=rf"bad\.zip: {SKILLS}, line 4, column 6 \(agent_id\)") as caught:
        load(spark, str(tmp_path)).collect()
    assert "seven" not in str(caught.value)
    frame = load(spark, str(tmp_path), on_bad_row="skip")
    names = sorted(row["id"] for row in frame.select("id").collect())
    assert names == sorted(f"r{index}" for index in range(20) if index != 12)


def test_skipped_rows_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "bad.zip"
    path.write_bytes(archive([skill_row(0), skill_row(1, "seven"), skill_row(2, "eight")]))
    options = {"kind": "agentSkillInfo", "path": str(path), "on_bad_row": "skip"}
    source = ccfs.spark.Archives(options)
    reader = source.reader(source.schema())
    [batch] = reader.read(reader.partitions()[0])
    assert isinstance(batch, pyarrow.RecordBatch)
    assert batch.num_rows == 1
    at = f"{SKILLS}, line 3, column 6 (agent_id): the cell is not a whole number"
    assert caplog.messages == [f"{path}: skipped 2 bad rows, first: {at}"]


def test_paths_are_globs_folders_and_lists(spark: SparkSession, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two [x]" / "deep"
    one.mkdir()
    two.mkdir(parents=True)
    first, second = write_archives(one, 2, 10)
    [third] = write_archives(two, 1, 30)
    for name in ("2.rejected.zip", ".3.zip", "readme.txt"):
        (one / name).write_text("not an archive")
    cases: list[tuple[str | list[str], int, int]] = [
        (str(first), 1, 10),
        (f"file://{first}", 1, 10),
        (str(one), 2, 20),
        (str(one / "[01].zip"), 2, 20),
        (str(tmp_path / "**/?.zip"), 3, 50),
        (str(tmp_path), 3, 50),
        (str(third), 1, 30),
        (str(two.parent), 1, 30),
        ([str(one), str(second), str(third)], 3, 50),
    ]
    for paths, partitions, rows in cases:
        frame = load(spark, paths, columns="id")
        assert (frame.rdd.getNumPartitions(), frame.count()) == (partitions, rows), paths


def test_local_times_are_the_same_in_every_session(spark: SparkSession, tmp_path: Path) -> None:
    [path] = write_archives(tmp_path, 1, 100)
    frame = load(spark, str(path), tz=ZONE, columns="id,operate_time,operate_time_utc")
    chosen = ["id", "CAST(operate_time AS STRING)", "CAST(operate_time_utc AS STRING)"]
    texts: dict[str, list[Any]] = {}
    for zone in ("UTC", ZONE):
        spark.conf.set("spark.sql.session.timeZone", zone)
        texts[zone] = sorted(tuple(row) for row in frame.selectExpr(*chosen).collect())
        wanted = streamed([path], "agentSkillInfo", columns=frame.columns, tz=ZONE)
        assert table(frame, "agentSkillInfo").equals(wanted)
    assert texts["UTC"][0] == ("r0", "2015-02-08 20:00:00", "2015-02-08 12:00:00")
    assert texts[ZONE][0] == ("r0", "2015-02-08 20:00:00", "2015-02-08 20:00:00")
    assert [row[:2] for row in texts["UTC"]] == [row[:2] for row in texts[ZONE]]


def test_a_reader_can_be_copied_and_read_again(tmp_path: Path) -> None:
    paths = write_archives(tmp_path, 2, 10)
    source = ccfs.spark.Archives({"kind": "agentSkillInfo", "path": str(tmp_path)})
    reader = source.reader(source.schema())
    for _ in range(2):
        reader = pickle.loads(pickle.dumps(reader))
        partitions = pickle.loads(pickle.dumps(reader.partitions()))
        for path, partition in zip(paths, partitions, strict=True):
            batches: Any = reader.read(partition)
            wanted = pyarrow.table(ccfs.open(path).stream("agentSkillInfo"))
            assert pyarrow.Table.from_batches(batches).equals(wanted)
    damaged = bytearray(paths[0].read_bytes())
    damaged[60] ^= 0xFF
    paths[0].write_bytes(damaged)
    with pytest.raises(ccfs.DataError, match=re.escape(f"{paths[0]}: {SKILLS}")) as caught:
        list(reader.read(reader.partitions()[0]))
    assert caught.value.code == "data"
    paths[0].unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(str(paths[0]))):
        list(reader.read(partitions[0]))


def test_a_job_survives_a_killed_executor(tmp_path: Path) -> None:
    paths = write_archives(tmp_path, 6, 20_000)
    marker, attempts = str(tmp_path / "killed"), str(tmp_path / "attempts")

    # A local function: executors cannot import this module.
    def kill_once(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        """Kills the executor in the middle of an archive, once."""
        with open(attempts, "a", encoding="utf-8") as file:
            file.write("began\n")
        for number, batch in enumerate(batches):
            yield batch
            if number == 0:
                continue
            try:
                file = open(marker, "x", encoding="utf-8")
            except FileExistsError:
                continue
            pid = os.getpid()
            while True:
                line = ["ps", "-o", "ppid=,comm=", "-p", str(pid)]
                parent, name = subprocess.check_output(line, text=True).split(maxsplit=1)
                if name.strip() == "java":
                    break
                pid = int(parent)
            with file:
                file.write(str(pid))
            os.kill(pid, signal.SIGKILL)

    spark = session(CLUSTER)
    frame = load(spark, str(tmp_path), tz=ZONE)
    found = frame.mapInArrow(kill_once, frame.schema)
    assert table(found, "agentSkillInfo").equals(streamed(paths, "agentSkillInfo", tz=ZONE))
    killed = int(Path(marker).read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(killed, 0)
    # Tasks of the killed executor ran again.
    assert len(Path(attempts).read_text().splitlines()) > len(paths)


def test_the_readme_runs(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "zips").mkdir()
    write_archives(tmp_path / "zips", 2, 100)
    readme = (PACKAGE / "README.md").read_text()
    [block] = re.findall(r"^```py\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    # The JVM, which has the tasks, remains in the folder where it began.
    exec(block.replace("zips/*.zip", f"{tmp_path}/zips/*.zip"), {"spark": spark})
    assert "|     100|    4|" in capsys.readouterr().out
