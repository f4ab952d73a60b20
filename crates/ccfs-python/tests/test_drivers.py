"""The examples that drive `Exchange`, against the emulator; and against a driver in Rust."""

from __future__ import annotations

import asyncio
import io
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import ccfs
import httpx
import pytest
import with_asyncio
import with_http_client
import with_httpx

from conftest import PACKAGE, Serve, Server, command

CALL_CENTER = timezone(timedelta(hours=8))
"""The time zone of the server, whose day is in names of files."""

Driver = Callable[[ccfs.Exchange, io.BytesIO, Server], dict[str, Any]]


def tls(server: Server) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=server.ca) if server.ca else None


def over_http_client(exchange: ccfs.Exchange, file: io.BytesIO, server: Server) -> dict[str, Any]:
    return with_http_client.drive(exchange, file, tls(server))


def over_asyncio(exchange: ccfs.Exchange, file: io.BytesIO, server: Server) -> dict[str, Any]:
    return asyncio.run(with_asyncio.drive(exchange, file, tls(server)))


def over_httpx(exchange: ccfs.Exchange, file: io.BytesIO, server: Server) -> dict[str, Any]:
    with httpx.Client(verify=tls(server) or True, trust_env=False) as client:
        return with_httpx.drive(exchange, file, client)


DRIVERS: dict[str, Driver] = {
    "http.client": over_http_client,
    "asyncio": over_asyncio,
    "httpx": over_httpx,
}


def query(server: Server) -> ccfs.Exchange:
    fields = {
        "beginTime": "2023-04-05 00:00:00",
        "endTime": "2023-04-06 00:00:00",
        "callBackURL": "http://127.0.0.1:9/callback",
    }
    return ccfs.Exchange("queryAgentSkillInfoData", fields, **server.settings)


def download(server: Server, job: dict[str, Any]) -> ccfs.Exchange:
    fields = {"agentSkillInfoFileName": file_name(job)}
    return ccfs.Exchange("downloadAgentSkillInfoFile", fields, rewinds=True, **server.settings)


def file_name(job: dict[str, Any]) -> str:
    day = datetime.now(CALL_CENTER).strftime("%Y%m%d")
    return f"{day}_{job['resultData']['responseId'].replace('-', '')}.zip"


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_downloads_a_file(name: str, is_tls: bool, serve: Serve) -> None:
    cut = "cut-after:1000@downloadAgentSkillInfoFile*1"
    server = serve("--rows", "300", "--fault", cut, tls=is_tls)
    job = DRIVERS[name](query(server), io.BytesIO(), server)
    exchange, file = download(server, job), io.BytesIO()
    receipt = DRIVERS[name](exchange, file, server)
    assert receipt == {"kind": "zip", "bytes": len(file.getvalue())}
    assert exchange.attempts == 2
    assert sum(1 for _ in ccfs.open(file).records("agentSkillInfo")) == 300


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_reports_failures(name: str, serve: Serve) -> None:
    drive = DRIVERS[name]
    server = serve("--fault", "close-before-answer")
    with pytest.raises(ccfs.NetworkError, match="broke before the response") as caught:
        drive(query(server), io.BytesIO(), server)
    assert caught.value.code == "connection_broken"
    server.endpoint = "http://127.0.0.1:9"
    fields = {"agentSkillInfoFileName": "20230406_9239cb50a8384bb0ab503441bf089446.zip"}
    exchange = ccfs.Exchange(
        "downloadAgentSkillInfoFile", fields, max_retries=0, **server.settings
    )
    with pytest.raises(ccfs.NetworkError) as caught:
        drive(exchange, io.BytesIO(), server)
    assert caught.value.code == "connect"
    server = serve("--fault", "silent")
    exchange = ccfs.Exchange(
        "downloadAgentSkillInfoFile", fields, max_retries=0, idle_timeout=0.3, **server.settings
    )
    with pytest.raises(ccfs.NetworkError) as caught:
        drive(exchange, io.BytesIO(), server)
    assert caught.value.code == "idle_timeout"


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_reports_an_untrusted_certificate(name: str, serve: Serve) -> None:
    server = serve(tls=True)
    server.ca = None
    with pytest.raises(ccfs.NetworkError) as caught:
        DRIVERS[name](query(server), io.BytesIO(), server)
    assert caught.value.code == "tls"


FAULTS = [
    "error-under-200:0300008@downloadAgentSkillInfoFile*1",
    "cut-after:1000@downloadAgentSkillInfoFile*1",
    "busy:1@downloadAgentSkillInfoFile*1",
]
"""One attempt each: a result code that is retried, a broken body, and `Retry-After`."""


def comparable(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns logged requests without what must differ: the time, and the client's port."""
    return [
        {name: value for name, value in request.items() if name not in ("at", "peer")}
        for request in requests
    ]


def rust_steps(server: Server, name: str, folder: Path) -> list[str]:
    """Downloads with the command, whose driver is in Rust, and returns its steps."""
    target = folder / "rust.zip"
    process = subprocess.run(
        [command(), "-vv", "download", name, "-o", str(target)],
        env=server.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    words = {
        "sending request": "send",
        "received response head": "head",
        "waiting before the next attempt": "wait",
        "restarting the download": "rewind",
        "call ended": "done",
    }
    found = re.findall("|".join(words), process.stderr)
    return [words[step] for step in found]


def python_steps(server: Server, exchange: ccfs.Exchange, file: io.BytesIO) -> list[str]:
    """Downloads with the driver over `http.client`, and returns the same kinds of steps."""
    steps: list[str] = []

    class Recorded:
        """An exchange that records what it is asked and told."""

        def poll(self, now: ccfs.Now) -> ccfs.Send | ccfs.Receive | ccfs.Done | Any:
            step = exchange.poll(now)
            kinds = {ccfs.Send: "send", ccfs.Rewind: "rewind", ccfs.Wait: "wait", ccfs.Done: "done"}
            if type(step) in kinds:
                steps.append(kinds[type(step)])
            return step

        def on_head(self, now: ccfs.Now, status: int, headers: Any) -> None:
            steps.append("head")
            exchange.on_head(now, status, headers)

        def __getattr__(self, name: str) -> Any:
            return getattr(exchange, name)

    with_http_client.drive(Recorded(), file)  # type: ignore[arg-type]
    return steps


def without_repetitions(steps: list[str]) -> list[str]:
    """A sleep may end a little early; the exchange then asks to wait again."""
    return [
        step for step, before in zip(steps, ["", *steps], strict=False) if (step, before) != ("wait",) * 2
    ]


def test_python_and_rust_take_the_same_steps(serve: Serve, tmp_path: Path) -> None:
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    traces = []
    for language in ("rust", "python"):
        server = serve("--rows", "300", *faults)
        job = over_http_client(query(server), io.BytesIO(), server)
        if language == "rust":
            steps = rust_steps(server, file_name(job), tmp_path)
            content = (tmp_path / "rust.zip").read_bytes()
        else:
            file = io.BytesIO()
            steps = python_steps(server, download(server, job), file)
            content = file.getvalue()
        traces.append((without_repetitions(steps), comparable(server.requests())[1:], content))
    (rust_trace, rust_requests, rust_file), (python_trace, python_requests, python_file) = traces
    assert python_trace == rust_trace
    assert python_trace.count("send") == 4
    assert python_trace.count("rewind") == 1
    assert len(python_requests) == 4
    assert python_requests == rust_requests
    # Not the same bytes: a ZIP has the time when it was made.
    records = [list(ccfs.open(file).records("agentSkillInfo")) for file in (python_file, rust_file)]
    assert records[0] == records[1]


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    ("example", "prints"),
    [
        ("with_http_client.py", r"job [0-9a-f-]+\nskills.zip: \d+ bytes after 1 requests\n"),
        ("with_httpx.py", r"job [0-9a-f-]+\nskills.zip: \d+ bytes after 1 requests\n"),
        ("with_asyncio.py", r"3 jobs, 900 records\n"),
    ],
)
def test_examples_run(
    example: str, prints: str, is_tls: bool, serve: Serve, tmp_path: Path
) -> None:
    server = serve("--rows", "300", tls=is_tls)
    printed = run(PACKAGE / "examples" / example, [], server.environment, tmp_path)
    assert re.fullmatch(prints, printed), printed


def test_the_example_of_duckdb_runs(serve: Serve, tmp_path: Path) -> None:
    server = serve("--rows", "300")
    file = io.BytesIO()
    job = over_http_client(query(server), io.BytesIO(), server)
    over_http_client(download(server, job), file, server)
    (tmp_path / "skills.zip").write_bytes(file.getvalue())
    example = PACKAGE / "examples/duckdb_over_zip.py"
    printed = run(example, ["skills.zip"], dict(os.environ), tmp_path)
    lines = printed.splitlines()
    assert lines[-1] == "300 records"
    assert sum(int(re.findall(r": (\d+) changes", line)[0]) for line in lines[:-1]) == 300


def run(example: Path, arguments: list[str], environment: dict[str, str], folder: Path) -> str:
    process = subprocess.run(
        [sys.executable, str(example), *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout
