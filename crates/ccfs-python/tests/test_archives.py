"""Archives: members, streams and records."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import ccfs
import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

from support import HEADER, OPERATIONS, SKILLS, archive, members, skill_row

ROWS = 20_000
ZIP = archive(skill_row(index) for index in range(ROWS))


def from_path(tmp_path: Path) -> Any:
    path = tmp_path / "skills.zip"
    path.write_bytes(ZIP)
    return path


SOURCES: dict[str, Callable[[Path], Any]] = {
    "path": from_path,
    "text path": lambda tmp_path: str(from_path(tmp_path)),
    "bytes": lambda _: ZIP,
    "bytearray": lambda _: bytearray(ZIP),
    "BytesIO": lambda _: io.BytesIO(ZIP),
    "file": lambda tmp_path: from_path(tmp_path).open("rb"),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_same_table(source: str, tmp_path: Path) -> None:
    archive = ccfs.open(SOURCES[source](tmp_path))
    assert [member.name for member in archive.members] == [SKILLS]
    assert archive.members[0].kind == "agentSkillInfo"
    assert archive.members[0].size > archive.members[0].compressed_size > 0
    table = pyarrow.table(archive.stream("agentSkillInfo"))
    assert table.equals(pyarrow.table(ccfs.open(ZIP).stream("agentSkillInfo")))
    assert table.num_rows == ROWS


def test_a_table_has_typed_columns() -> None:
    table = pyarrow.table(ccfs.open(ZIP).stream("agentSkillInfo", tz="Asia/Shanghai"))
    types = {field.name: str(field.type) for field in table.schema}
    assert types["id"] == "string"
    assert types["agent_id"] == "int64"
    assert types["operate_time"] == "timestamp[us]"
    assert types["operate_time_utc"] == types["update_time"] == "timestamp[us, tz=UTC]"
    assert types["skill_list"].startswith("list<element: string")
    assert table.column("operate_time")[0].as_py() == datetime(2015, 2, 8, 20, 0, 0)
    utc = datetime(2015, 2, 8, 12, 0, 0, tzinfo=timezone.utc)
    assert table.column("operate_time_utc")[0].as_py() == utc
    assert table.column("skill_list")[0].as_py() == ["sales", "support"]


def test_the_schema_of_a_kind_is_that_of_its_streams() -> None:
    for arguments in [{}, {"tz": "Asia/Shanghai"}, {"columns": ["skill_list", "id"]}]:
        schema: Any = ccfs.schema("agentSkillInfo", **arguments)  # type: ignore[arg-type]
        stream = ccfs.open(ZIP).stream("agentSkillInfo", **arguments)  # type: ignore[arg-type]
        table = pyarrow.table(stream)
        assert pyarrow.schema(schema).equals(table.schema, check_metadata=True)
        assert schema.names == table.column_names
    with pytest.raises(ValueError, match="use one of agentSkillInfo"):
        ccfs.schema("agents")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nothing"):
        ccfs.schema("call", columns=["nothing"])


def test_columns_are_selected_in_order() -> None:
    names = ["skill_list", "operate_type_name", "id"]
    stream = ccfs.open(ZIP).stream("agentSkillInfo", columns=names)
    assert pyarrow.table(stream).column_names == names
    for wrong in (["id", "id"], ["nothing"]):
        with pytest.raises(ValueError, match=wrong[0]):
            ccfs.open(ZIP).stream("agentSkillInfo", columns=wrong)


def test_batches_have_the_size() -> None:
    stream = ccfs.open(ZIP).stream("agentSkillInfo", batch_size=3000)
    sizes = [batch.num_rows for batch in pyarrow.RecordBatchReader.from_stream(stream)]
    assert sizes == [3000] * 6 + [2000]
    assert (stream.rows, stream.bad_rows, stream.error) == (ROWS, 0, None)
    [note] = stream.notes
    assert note.startswith(f"{SKILLS}: the charset UTF-8 is a guess")


def test_a_stream_can_be_read_again() -> None:
    stream = ccfs.open(io.BytesIO(ZIP)).stream("agentSkillInfo", columns=["id"])
    assert pyarrow.table(stream).equals(pyarrow.table(stream))
    readers = [pyarrow.RecordBatchReader.from_stream(stream) for _ in range(2)]
    for first, second in zip(*readers, strict=True):
        assert first.equals(second)


def test_polars_reads_a_stream() -> None:
    frame = polars.DataFrame(ccfs.open(ZIP).stream("agentSkillInfo", tz="Asia/Shanghai"))
    assert frame.height == ROWS
    assert frame.schema["operate_time_utc"] == polars.Datetime("us", "UTC")
    assert frame["agent_id"].n_unique() == 50
    assert frame["skill_list"].list.len().max() == 2


def test_duckdb_queries_a_zip() -> None:
    batches = ccfs.open(ZIP).stream("agentSkillInfo")  # noqa: F841, the query names it
    query = "select agent_id, count(*) as changes from batches group by agent_id order by agent_id"
    rows = duckdb.execute(query).fetchall()
    assert rows == [(100 + agent, ROWS // 50) for agent in range(50)]
    skills = duckdb.execute("select distinct unnest(skill_list) as skill from batches order by 1")
    assert skills.fetchall() == [("sales",), ("support",)]


def test_pandas_reads_a_stream() -> None:
    stream = ccfs.open(ZIP).stream("agentSkillInfo", columns=["agent_id", "operate_time"])
    frame = pandas.DataFrame.from_arrow(stream)  # type: ignore[attr-defined]
    assert len(frame) == ROWS
    assert frame["operate_time"].max() == pandas.Timestamp("2015-02-08 20:59:59")
    assert frame["agent_id"].sum() == sum(100 + index % 50 for index in range(ROWS))


def test_records_are_dicts() -> None:
    records = list(ccfs.open(ZIP).records("agentSkillInfo"))
    assert len(records) == ROWS
    assert records[0] == {
        "id": "r0",
        "developer_id": "dev",
        "account_id": "账户",
        "sub_cc_no": 7,
        "vdn": 1,
        "agent_id": 100,
        "operate_time": datetime(2015, 2, 8, 20, 0, 0),
        "operate_id": 9,
        "operate_type": 1,
        "operate_type_name": "sign in",
        "skill_list": ["sales", "support"],
        "logon_sn": "L0",
        "operate_sn": 1,
        "operate_end_time": datetime(2015, 2, 8, 20, 0, 0),
        "renew_flag": 0,
        "update_time": datetime(2015, 2, 8, 20, 0, 0, tzinfo=timezone.utc),
        "month_of_year": 2,
        "extra": [],
    }
    table = pyarrow.table(ccfs.open(ZIP).stream("agentSkillInfo"))
    assert table.slice(ROWS - 3).to_pylist() == records[-3:]


def test_an_empty_cell_is_none() -> None:
    row = "r1,,,7,,,,,,,,,,,,"
    first, _ = ccfs.open(archive([row, skill_row(2)])).records("agentSkillInfo")
    assert first["agent_id"] is None
    assert first["operate_time"] is None
    assert first["skill_list"] == []


def bad() -> bytes:
    """An archive whose third record has a text in a numeric column."""
    return archive([skill_row(0), skill_row(1), skill_row(2, agent="seven"), skill_row(3)])


def test_a_bad_row_is_an_error_with_its_position() -> None:
    records = ccfs.open(bad()).records("agentSkillInfo")
    assert [next(records)["id"], next(records)["id"]] == ["r0", "r1"]
    with pytest.raises(ccfs.DataError, match="not a whole number") as caught:
        next(records)
    error = caught.value
    assert (error.member, error.line, error.column, error.column_name) == (SKILLS, 4, 6, "agent_id")
    assert (error.code, error.result_code, error.status, error.retryable) == ("data", None, None, False)
    assert "seven" not in str(error)
    assert next(records, None) is None


def test_a_consumer_of_a_stream_raises_the_message() -> None:
    stream = ccfs.open(bad()).stream("agentSkillInfo")
    with pytest.raises(pyarrow.ArrowInvalid, match=rf"{SKILLS}, line 4, column 6 \(agent_id\)"):
        pyarrow.table(stream)
    assert isinstance(stream.error, ccfs.DataError)
    assert stream.error.line == 4


def test_bad_rows_can_be_skipped() -> None:
    stream = ccfs.open(bad()).stream("agentSkillInfo", on_bad_row="skip")
    assert pyarrow.table(stream).column("id").to_pylist() == ["r0", "r1", "r3"]
    assert stream.bad_rows == 1
    assert stream.bad_row_messages == [
        f"{SKILLS}, line 4, column 6 (agent_id): the cell is not a whole number"
    ]
    records = ccfs.open(bad()).records("agentSkillInfo", on_bad_row="skip")
    assert [record["id"] for record in records] == ["r0", "r1", "r3"]


def test_wrong_arguments_are_value_errors() -> None:
    archive = ccfs.open(ZIP)
    with pytest.raises(ValueError, match='"agents" is not a kind of index file; use one of agentSkillInfo'):
        archive.stream("agents")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='use "stop" or "skip"'):
        archive.stream("agentSkillInfo", on_bad_row="return")  # type: ignore[arg-type]
    for size in (0, 1 << 21):
        with pytest.raises(ValueError, match=f"batch_size is {size}; .* from 1 to 1048576"):
            archive.stream("agentSkillInfo", batch_size=size)
    with pytest.raises(ValueError, match="not a time zone"):
        archive.stream("agentSkillInfo", tz="Asia/Nowhere")
    with pytest.raises(TypeError, match="a path, bytes, or a binary file object"):
        ccfs.open(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='mode "rb"'):
        ccfs.open(io.StringIO("text"))  # type: ignore[arg-type]


def test_other_inputs_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing.zip"):
        ccfs.open(tmp_path / "missing.zip")
    with pytest.raises(ccfs.DataError):
        ccfs.open(b"not an archive")
    with pytest.raises(ccfs.DataError, match="agentOprInfo"):
        list(ccfs.open(ZIP).records("agentOprInfo"))
    damaged = bytearray(ZIP)
    damaged[len(damaged) // 2] ^= 0xFF
    with pytest.raises(ccfs.DataError):
        list(ccfs.open(damaged).records("agentSkillInfo"))


class Broken(io.BytesIO):
    """A file whose disk fails after the directory was read."""

    broken = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.broken:
            raise OSError(5, "disk failure")
        return super().read(size)


def test_an_error_of_a_file_object_is_raised_unchanged() -> None:
    file = Broken(ZIP)
    archive = ccfs.open(file)
    file.broken = True
    with pytest.raises(OSError, match="disk failure"):
        next(archive.records("agentSkillInfo"))
    stream = archive.stream("agentSkillInfo")
    with pytest.raises(Exception, match="disk failure"):
        pyarrow.table(stream)
    assert isinstance(stream.error, OSError)


def test_parquet_is_written_atomically(tmp_path: Path) -> None:
    target = tmp_path / "skills.parquet"
    assert ccfs.to_parquet(ZIP, target, tz="Asia/Shanghai") == ROWS
    stream = ccfs.open(ZIP).stream("agentSkillInfo", tz="Asia/Shanghai")
    assert pyarrow.parquet.read_table(target).equals(pyarrow.table(stream))
    with pytest.raises(ccfs.Error, match="already exists") as caught:
        ccfs.to_parquet(ZIP, target)
    assert caught.value.code == "file_exists"
    with pytest.raises(ccfs.DataError):
        ccfs.to_parquet(bad(), str(target), overwrite=True)
    assert pyarrow.parquet.read_table(target).num_rows == ROWS
    assert ccfs.to_parquet(bad(), str(target), overwrite=True, on_bad_row="skip") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["skills.parquet"]


def test_parquet_needs_the_kind_if_there_are_several(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(ZIP)) as zip:
        text = zip.read(SKILLS).decode()
    both = members({SKILLS: text, OPERATIONS: "a" + ",b" * 20 + "\n"})
    with pytest.raises(ValueError, match="pass the kind"):
        ccfs.to_parquet(both, tmp_path / "x.parquet")
    assert ccfs.to_parquet(both, tmp_path / "x.parquet", kind="agentSkillInfo") == ROWS
    with pytest.raises(ValueError, match="pass the kind"):
        ccfs.to_parquet(members({"readme.txt": "text"}), tmp_path / "y.parquet")


def test_a_charset_can_be_set(tmp_path: Path) -> None:
    """A short text that is valid in two charsets, of which the wrong one is detected."""
    text = f"{HEADER}\n" + skill_row(0).replace("账户", "é") + "\n"
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(SKILLS, text.replace("é", "茅").encode("gb18030"))
    source = ccfs.open(file)
    kind: Any = "agentSkillInfo"

    def accounts(**options: Any) -> list[Any]:
        return [record["account_id"] for record in source.records(kind, **options)]

    assert accounts() == ["é"]
    assert accounts(charset="GB18030") == ["茅"]
    table = pyarrow.table(source.stream(kind, charset="GB18030"))
    assert table.column("account_id").to_pylist() == ["茅"]
    assert ccfs.to_parquet(file, tmp_path / "x.parquet", charset="GB18030") == 1
    written = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    assert written.column("account_id").to_pylist() == ["茅"]
    with pytest.raises(ValueError, match='charset is "GBK"; use one of UTF-8, GB18030'):
        accounts(charset="GBK")
