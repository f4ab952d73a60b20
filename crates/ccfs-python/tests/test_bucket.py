"""Pulls into a bucket of moto's S3 server, and other programs that read it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ccfs
import moto.server
import pyarrow.dataset
import pyarrow.fs
import pytest

from conftest import Serve, Server, command

SECRET = "the-secret-of-the-store"
TABLE = "lake/nightly/agent_skill_info"
DAYS = ["--from", "2023-04-01", "--to", "2023-04-04", "--tz", "Asia/Shanghai"]
PULL = ["pull", *DAYS, "--convert", "parquet", "--no-zip"]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server with the bucket `lake`. Returns its address."""
    server = moto.server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    # Other servers of this process have the same objects.
    urllib.request.urlopen(f"{address}/moto-api/reset", data=b"").close()
    files(address).create_dir("lake")
    yield address
    server.stop()


def files(address: str) -> pyarrow.fs.S3FileSystem:
    """Returns the store as pyarrow sees it."""
    return pyarrow.fs.S3FileSystem(
        access_key="id",
        secret_key=SECRET,
        endpoint_override=address,
        region="us-east-1",
        allow_bucket_creation=True,
    )


def pull(server: Server, out: str, *more: str) -> subprocess.Popen[str]:
    """Starts `ccfs pull`."""
    environment = os.environ | server.environment | {"HOME": str(server.log.parent)}
    line = [command(), *PULL, "--out", out, *more]
    return subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def done(process: subprocess.Popen[str]) -> str:
    """Waits for a pull without an error. Returns its output."""
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert SECRET not in out + errors
    return out


def names(address: str) -> list[str]:
    """Returns the data files in the bucket, sorted."""
    found = files(address).get_file_info(pyarrow.fs.FileSelector(TABLE, recursive=True))
    return sorted(info.path.removeprefix("lake/nightly/") for info in found if info.is_file)


def rows(path: str | Path, store: pyarrow.fs.FileSystem | None = None) -> pyarrow.Table:
    """Returns the rows of the dataset, and its days."""
    return pyarrow.dataset.dataset(path, filesystem=store, partitioning="hive").to_table()


def test_other_programs_read_the_bucket(store: str, serve: Serve, tmp_path: Path) -> None:
    server = serve("--rows", "50")
    done(pull(server, "s3://lake/nightly", "--state", str(tmp_path / "state")))
    folder = tmp_path / "folder"
    done(pull(server, str(folder)))
    assert names(store) == sorted(str(it.relative_to(folder)) for it in folder.rglob("*.parquet"))
    table = rows(TABLE, files(store))
    assert table.num_rows == 200
    assert table.equals(rows(folder / "agent_skill_info"))
    data = pyarrow.dataset.dataset(TABLE, filesystem=files(store), partitioning="hive")
    assert data.count_rows(filter=pyarrow.dataset.field("day") == "2023-04-02") == 50

    # A lost journal is rebuilt from the receipts.
    again = pull(server, "s3://lake/nightly", "--state", str(tmp_path / "new"), "--json")
    summary: dict[str, Any] = json.loads(done(again).splitlines()[-1])["summary"]
    assert (summary["requests"], summary["rows"]) == (0, 200)


def test_a_pull_that_is_killed_loses_nothing(store: str, serve: Serve, tmp_path: Path) -> None:
    server = serve("--rows", "50")
    done(pull(server, str(tmp_path / "folder")))
    expected = rows(tmp_path / "folder" / "agent_skill_info")
    for number, delay in enumerate([0.03, 0.06, 0.1, 0.15, 0.2, 0.3]):
        state, out = str(tmp_path / f"state-{number}"), "s3://lake/nightly"
        process = pull(server, out, "--state", state)
        time.sleep(delay)
        process.kill()
        process.communicate()
        done(pull(server, out, "--state", state))
        assert len(names(store)) == 4
        assert rows(TABLE, files(store)).equals(expected)
        verify = [command(), "pull", "--out", out, "--state", state, "--verify"]
        checked = subprocess.run(verify, capture_output=True, text=True)
        assert checked.stdout == "4 files checked\n", checked.stderr
        files(store).delete_dir("lake/nightly")


def test_python_pulls_into_a_bucket(store: str, serve: Serve, tmp_path: Path) -> None:
    server = serve("--rows", "50")
    calls = ccfs.Client(server.endpoint, server.access_key, server.secret_key)
    options: dict[str, Any] = {
        "from_": "2023-04-01",
        "to": "2023-04-02",
        "tz": "Asia/Shanghai",
        "convert": "parquet",
        "keep_zip": False,
    }
    summary = calls.pull(out="s3://lake/nightly", state=tmp_path, **options)
    assert (summary.rows, summary.failed) == (100, [])
    assert len(names(store)) == 2
    path = summary.windows[0].files[0]
    assert isinstance(path, str)
    assert path.startswith("s3://lake/nightly/agent_skill_info/day=2023-04-01/"), path
    wrong: list[tuple[str | Path, Path | None, str]] = [
        ("s3://lake/nightly", None, "pass state"),
        (str(tmp_path), tmp_path, "state is for a bucket"),
        (Path("s3://lake/nightly"), tmp_path, "not the address of a bucket"),
    ]
    for out, state, message in wrong:
        with pytest.raises(ValueError, match=message):
            calls.pull(out=out, state=state, **options)
