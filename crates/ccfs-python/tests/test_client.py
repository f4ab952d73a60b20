"""The blocking client: calls, downloads, pulls, errors, interruptions and secrets."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ccfs
import pyarrow.parquet
import pytest

from conftest import Serve, Server
from support import archive, skill_row

CALL_CENTER = timezone(timedelta(hours=8))
"""The time zone of the server, whose day is in names of files."""

QUERY = {
    "beginTime": "2023-04-05 00:00:00",
    "endTime": "2023-04-06 00:00:00",
    "callBackURL": "http://127.0.0.1:9/callback",
}


def client(server: Server, **options: Any) -> ccfs.Client:
    return ccfs.Client(
        server.endpoint, server.access_key, server.secret_key, ca=server.ca, **options
    )


def file_name(calls: ccfs.Client) -> str:
    """Has a file made, and returns its name."""
    job = calls.call("queryAgentSkillInfoData", **QUERY)["resultData"]
    day = datetime.now(CALL_CENTER).strftime("%Y%m%d")
    return f"{day}_{job['responseId'].replace('-', '')}.zip"


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_a_file_is_requested_and_downloaded(is_tls: bool, serve: Serve, tmp_path: Path) -> None:
    server = serve("--rows", "300", tls=is_tls)
    calls = client(server)
    target = tmp_path / "skills.zip"
    receipt = calls.download(file_name(calls), target)
    assert receipt == {"kind": "zip", "bytes": target.stat().st_size}
    assert len(list(ccfs.open(target).records("agentSkillInfo"))) == 300
    with pytest.raises(ccfs.Error, match="already exists") as caught:
        calls.download(file_name(calls), str(target))
    assert caught.value.code == "file_exists"
    calls.download(file_name(calls), target, overwrite=True)


def test_other_kinds_and_interfaces(serve: Serve, tmp_path: Path) -> None:
    calls = client(serve("--rows", "10"))
    job = calls.call("queryAgentOprInfoData", **QUERY)["resultData"]
    day = datetime.now(CALL_CENTER).strftime("%Y%m%d")
    name = f"{day}_{job['responseId'].replace('-', '')}.zip"
    calls.download(name, tmp_path / "operations.zip", kind="agentOprInfo")
    assert len(list(ccfs.open(tmp_path / "operations.zip").records("agentOprInfo"))) == 10
    fields = {"agentOprInfoFileName": name}
    calls.fetch("downloadAgentOprInfoFile", tmp_path / "same.zip", fields)
    with pytest.raises(ValueError, match="answers with a file; use fetch or download"):
        calls.call("downloadAgentOprInfoFile", **fields)
    with pytest.raises(ValueError, match="does not answer with a file; use call"):
        calls.fetch("queryAgentOprInfoData", tmp_path / "x", QUERY)


def test_the_environment_configures_a_client(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(tls=True)
    for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "CA"):
        monkeypatch.delenv(f"CCFS_{name}", raising=False)
    with pytest.raises(ValueError, match="CCFS_ENDPOINT"):
        ccfs.Client.from_env()
    for name, value in server.environment.items():
        if name.startswith("CCFS_"):
            monkeypatch.setenv(name, value)
    assert ccfs.Client.from_env().call("queryAgentSkillInfoData", **QUERY)["resultCode"] == "0"


def test_errors_have_classes_and_attributes(serve: Serve) -> None:
    cases: list[tuple[str, type[ccfs.Error], dict[str, Any]]] = [
        ("unauthorized", ccfs.AuthError, {"status": 401, "retryable": False}),
        ("locked", ccfs.AuthError, {"status": 403}),
        ("error-under-200:0300011", ccfs.ServerError, {"result_code": "0300011"}),
        ("flow-control", ccfs.ServerError, {"retryable": True}),
        ("gateway:502", ccfs.Error, {"status": 502, "retryable": True}),
        ("close-before-answer", ccfs.NetworkError, {"code": "connection_broken", "retryable": True}),
        ("silent", ccfs.NetworkError, {"code": "idle_timeout"}),
    ]
    for fault, error_class, attributes in cases:
        calls = client(serve("--fault", fault), max_retries=0, idle_timeout=0.5)
        with pytest.raises(error_class) as caught:
            calls.call("queryAgentSkillInfoData", **QUERY)
        error = caught.value
        assert {name: getattr(error, name) for name in attributes} == attributes, fault
        assert error.code == error.code.lower()
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_invalid_arguments() -> None:
    keys = ("https://10.1.2.3", "ak", "sk")
    calls = ccfs.Client(*keys)
    with pytest.raises(ccfs.Error, match="requires beginTime") as caught:
        calls.call("queryAgentSkillInfoData")
    assert caught.value.code == "invalid_request"
    for arguments, message in [
        (("10.1.2.3", "ak", "sk"), "scheme"),
        (("https://10.1.2.3", "", "sk"), "access key is empty"),
        (("https://10.1.2.3", "ak", "sk "), "secret_key"),
    ]:
        with pytest.raises(ValueError, match=message):
            ccfs.Client(*arguments)
    with pytest.raises(ValueError, match="pin_sha256"):
        ccfs.Client(*keys, pin_sha256="00")
    with pytest.raises(ValueError, match="ca:"):
        ccfs.Client(*keys, ca=b"not PEM")
    with pytest.raises(FileNotFoundError, match="missing.pem"):
        ccfs.Client(*keys, ca="missing.pem")
    with pytest.raises(ValueError, match="max_retries is -1"):
        ccfs.Client(*keys, max_retries=-1)
    with pytest.raises(ValueError, match="client_cert and client_key"):
        ccfs.Client(*keys, client_cert=b"")


def test_progress_is_reported_on_the_callers_thread(serve: Serve, tmp_path: Path) -> None:
    calls = client(serve("--rows", "3000"))
    seen: list[tuple[int, int, int | None]] = []
    threads = set()

    def progress(report: ccfs.Progress) -> None:
        seen.append((report.attempts, report.received, report.declared))
        threads.add(threading.get_ident())

    size = calls.download(file_name(calls), tmp_path / "x.zip", progress=progress)["bytes"]
    assert seen[-1] == (1, size, size)
    assert [received for _, received, _ in seen] == sorted(received for _, received, _ in seen)
    assert threads == {threading.get_ident()}


def test_progress_can_stop_a_download(serve: Serve, tmp_path: Path) -> None:
    calls = client(serve("--rows", "3000"))
    name = file_name(calls)
    folder = tmp_path / "downloads"
    folder.mkdir()
    with pytest.raises(ccfs.Error, match="stopped") as caught:
        calls.download(name, folder / "x.zip", progress=lambda report: report.received == 0)
    assert caught.value.code == "stopped"

    def fails(report: ccfs.Progress) -> None:
        if report.received:
            raise KeyError("bar")

    with pytest.raises(KeyError, match="bar"):
        calls.download(name, folder / "x.zip", progress=fails)
    assert list(folder.iterdir()) == []
    calls.download(name, folder / "x.zip", progress=lambda _: None)


def test_a_pull_leaves_a_dataset(serve: Serve, tmp_path: Path) -> None:
    server = serve("--rows", "50")
    calls, out = client(server), tmp_path / "skills"
    reports: list[tuple[int, int]] = []
    pull: dict[str, Any] = {
        "from_": "2023-04-01",
        "to": date(2023, 4, 3),
        "tz": "Asia/Shanghai",
        "out": out,
        "convert": "parquet",
    }

    def progress(report: ccfs.PullProgress) -> None:
        reports.append((report.settled, report.windows))

    summary = calls.pull(progress=progress, **pull)
    assert (summary.rows, summary.requested, summary.resumed, summary.bad_rows) == (150, 3, 0, 0)
    assert [window.outcome for window in summary.windows] == ["stored"] * 3
    assert summary.windows[0].begin == "2023-04-01 00:00:00"
    assert reports[-1] == (3, 3)
    [file] = summary.windows[0].files
    assert isinstance(file, Path)
    assert file.suffix == ".parquet"
    assert pyarrow.parquet.read_table(out / "agent_skill_info").num_rows == 150
    again = calls.pull(**pull)
    assert (again.rows, again.requested, again.resumed) == (150, 0, 3)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"tz": "Asia/Nowhere"}, "not a time zone"),
        ({"from_": "2023-04-31"}, "2023-04-31"),
        ({"from_": "2023-05-01"}, "reversed"),
        ({"convert": "xlsx"}, "use one of jsonl, csv, parquet"),
        ({"window_days": 0}, "window_days is 0; pass a whole number from 1 to 31"),
        ({"window_days": 2}, "with Parquet, a window has 1 day"),
        ({"in_flight": 65}, "from 1 to 64"),
        ({"recheck_days": -1}, "recheck_days is -1"),
        ({"again": ("2023-04-02", "2023-04-01")}, "2023-04-02 to 2023-04-01 is reversed"),
        ({"on_bad_row": "return"}, 'use "stop" or "skip"'),
    ]
    for wrong, message in cases:
        with pytest.raises(ValueError, match=message):
            calls.pull(**(pull | wrong))


def bodies(server: Server) -> list[int]:
    """Returns the sizes of the requests for files to make."""
    made = [request for request in server.requests() if request["interface"] == "queryAgentSkillInfoData"]
    return [request["body_bytes"] for request in made]


def test_a_pull_requests_days_again(serve: Serve, tmp_path: Path) -> None:
    server = serve("--rows", "10")
    calls = client(server)
    day = date.today() - timedelta(days=10)
    pull: dict[str, Any] = {
        "from_": day,
        "to": day + timedelta(days=5),
        "tz": "Asia/Shanghai",
        "out": tmp_path / "skills",
        "window_days": 2,
        "account_id": "a1",
    }
    assert calls.pull(**pull).requested == 3
    of_account = bodies(server)
    assert len(of_account) == 3
    calls.pull(**(pull | {"account_id": None, "out": tmp_path / "all"}))
    # Without an account, the field is empty.
    assert of_account[0] - bodies(server)[3] == len("a1")
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 0),
        ({"recheck_days": 30}, 3),
        ({"recheck_days": 4}, 0),
        ({"again": (day, day)}, 1),
        ({"again": (str(day + timedelta(days=1)), day + timedelta(days=2))}, 2),
    ]
    for options, requested in cases:
        assert calls.pull(**(pull | options)).requested == requested, options


@pytest.mark.parametrize("limit", [1, 3])
def test_a_pull_has_a_number_of_periods_in_flight(limit: int, serve: Serve, tmp_path: Path) -> None:
    seen: list[int] = []

    def progress(report: ccfs.PullProgress) -> None:
        seen.append(report.in_flight)

    client(serve("--rows", "10")).pull(
        from_="2023-04-01",
        to="2023-04-05",
        tz="Asia/Shanghai",
        out=tmp_path / "skills",
        window_days=1,
        in_flight=limit,
        progress=progress,
    )
    assert max(seen) == limit


class BadFiles(BaseHTTPRequestHandler):
    """A server whose files have a bad row."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        job = {"responseId": "9239cb50a8384bb0ab503441bf089446"}
        content = json.dumps({"resultCode": "0", "resultData": job}).encode()
        if "download" in self.path:
            content = archive([skill_row(0), skill_row(1, agent="seven"), skill_row(2)])
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing."""


def test_a_pull_fails_or_skips_bad_rows(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BadFiles)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    pull: dict[str, Any] = {
        # The day of the rows.
        "from_": "2015-02-08",
        "to": "2015-02-08",
        "tz": "Asia/Shanghai",
        "convert": "jsonl",
        "keep_zip": False,
    }
    calls = ccfs.Client(f"http://127.0.0.1:{server.server_port}", "ak", "sk")
    summary = calls.pull(out=tmp_path / "stop", **pull)
    [window] = summary.failed
    assert (window.outcome, window.begin) == ("failed", "2015-02-08 00:00:00")
    assert "line 3, column 6 (agent_id)" in str(window.reason)
    assert summary.rows == 0
    summary = calls.pull(out=tmp_path / "skip", on_bad_row="skip", **pull)
    assert summary.failed == []
    assert (summary.rows, summary.bad_rows) == (2, 1)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("is_from_env", [False, True])
def test_a_pull_pauses_instead_of_retrying_calls(
    is_from_env: bool, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve("--fault", "gateway")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    calls = ccfs.Client.from_env() if is_from_env else client(server)
    # Retries of a call come after half a second, and the first pause of a pull is 5 seconds.
    until = time.monotonic() + 3
    with pytest.raises(ccfs.Error, match="stopped"):
        calls.pull(
            from_="2023-04-01",
            to="2023-04-01",
            tz="Asia/Shanghai",
            out=tmp_path / "x",
            progress=lambda _: time.monotonic() < until,
        )
    assert len(server.requests()) == 1


def test_progress_can_stop_a_pull(serve: Serve, tmp_path: Path) -> None:
    calls = client(serve("--rows", "50"))
    pull: dict[str, Any] = {
        "from_": "2023-04-01",
        "to": "2023-04-09",
        "tz": "Asia/Shanghai",
        "out": tmp_path / "skills",
    }
    with pytest.raises(ccfs.Error) as caught:
        calls.pull(progress=lambda _: False, **pull)
    assert caught.value.code == "stopped"

    def fails(report: ccfs.PullProgress) -> None:
        if report.settled:
            raise KeyError("bar")

    with pytest.raises(KeyError, match="bar"):
        calls.pull(progress=fails, **pull)
    assert calls.pull(**pull).rows == 150


def test_an_error_ends_a_pull(serve: Serve, tmp_path: Path) -> None:
    calls = client(serve("--fault", "unauthorized"))
    with pytest.raises(ccfs.AuthError, match="20230401T000000") as caught:
        calls.pull(from_="2023-04-01", to="2023-04-01", tz="Asia/Shanghai", out=tmp_path / "x")
    assert caught.value.status == 401


SLOW = {
    "call": ("silent", 'client.call("queryAgentSkillInfoData", **query)'),
    "wait": ("busy:200", 'client.call("queryAgentSkillInfoData", **query)'),
    "download": (
        "stall@downloadAgentSkillInfoFile",
        'client.fetch("downloadAgentSkillInfoFile", target, {"agentSkillInfoFileName": name})',
    ),
    "pull": (
        "flow-control",
        'client.pull(from_="2023-04-01", to="2023-04-02", tz="Asia/Shanghai", out=target)',
    ),
    "executor": (
        "stall@downloadAgentSkillInfoFile",
        'client.pull(from_="2023-04-01", to="2023-04-02", tz="Asia/Shanghai", out=target,'
        " executor=ThreadPoolExecutor(1))",
    ),
}


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
@pytest.mark.parametrize("name", SLOW)
def test_ctrl_c_interrupts_a_call(name: str, serve: Serve, tmp_path: Path) -> None:
    fault, call = SLOW[name]
    server = serve("--fault", fault)
    script = f"""
        import json, os, sys, threading, ccfs
        from concurrent.futures import ThreadPoolExecutor
        query, target, name = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
        client = ccfs.Client.from_env()
        try:
            print("ready", flush=True)
            {call}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            os._exit(7)
    """
    stored = file_name(client(server)) if name == "download" else ""
    arguments = [json.dumps(QUERY), str(tmp_path / "target"), stored]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env=server.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    before = 1 if name == "download" else 0
    if name == "call" or name == "download":
        # The emulator logs a request when it was answered: these are not.
        time.sleep(1)
    else:
        while len(server.requests()) <= before:
            time.sleep(0.05)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert (output, process.returncode) == ("interrupted\n", 7)
    # The timeouts of the call are a minute and more.
    assert time.monotonic() - started < 50


def test_an_interrupted_call_sends_nothing_more(serve: Serve) -> None:
    """A call that waits before its next attempt is interrupted; the attempt is not made."""
    server = serve("--fault", "busy:2*1")
    main = threading.get_ident()
    stopper = threading.Timer(1, lambda: signal.pthread_kill(main, signal.SIGINT))
    stopper.start()
    with pytest.raises(KeyboardInterrupt):
        client(server).call("queryAgentSkillInfoData", **QUERY)
    assert len(server.requests()) == 1
    time.sleep(2.5)
    assert len(server.requests()) == 1


MARKER = "marker-secret-0123456789"


def texts(value: object) -> str:
    return f"{value!r} {value!s} {getattr(value, '__dict__', '')!r} {getattr(value, 'args', '')!r}"


def test_secrets_are_shown_nowhere(serve: Serve, tmp_path: Path) -> None:
    server = serve("--fault", "unauthorized", "--rows", "10")
    shown: list[str] = []

    def attempt(work: Any) -> None:
        try:
            shown.append(texts(work()))
        except Exception as error:
            shown.append(texts(error))
            # What a program prints of an error that it does not catch, without the source of this file.
            frames = traceback.format_exception(error)
            shown.extend(line for line in frames if "File " not in line)

    calls = ccfs.Client(server.endpoint, server.access_key, MARKER)
    receiver = ccfs.CallbackReceiver(server.access_key, MARKER)
    settings = server.settings | {"secret_key": MARKER}
    exchange = ccfs.Exchange("queryAgentSkillInfoData", QUERY, **settings)
    step = exchange.poll(ccfs.Now.system())
    assert isinstance(step, ccfs.Send)
    signature = dict(step.headers)["authorization"].rsplit("/", 1)[1]
    shown += [texts(value) for value in (calls, receiver, exchange, step)]
    attempt(lambda: calls.call("queryAgentSkillInfoData", **QUERY))
    attempt(lambda: calls.download("20230406_x.zip", tmp_path / "x"))
    attempt(
        lambda: calls.pull(
            from_="2023-04-01", to="2023-04-01", tz="Asia/Shanghai", out=tmp_path / "out"
        )
    )
    attempt(lambda: ccfs.Client(server.endpoint, server.access_key, MARKER + "\n"))
    attempt(lambda: ccfs.Client("nothing", server.access_key, MARKER))
    attempt(lambda: ccfs.Client(f"https://user:{MARKER}@10.1.2.3", "ak", "sk"))
    attempt(lambda: ccfs.Client(server.endpoint, server.access_key, MARKER, ca=b"nothing"))
    attempt(lambda: ccfs.Client(server.endpoint, server.access_key, [MARKER]))  # type: ignore[arg-type]
    attempt(lambda: ccfs.Exchange("playVoice", {"token": MARKER, "wrong": MARKER}, **server.settings))
    attempt(lambda: ccfs.Exchange("playVoice", {"token": MARKER * 200}, **server.settings))
    attempt(lambda: ccfs.sign("ak", MARKER, method="GET", path="/", headers={}, at=ccfs.Now.system().wall))
    attempt(
        lambda: ccfs.verify(
            f"auth-v2/ak/2023-04-06T08:00:00.000Z/host/{'0' * 64}",
            "ak",
            MARKER,
            method="GET",
            path="/",
            headers={"host": "h"},
            now=ccfs.Now.system().wall,
        )
    )
    # What `os.environ` has for a byte that is not UTF-8.
    undecodable = f"{MARKER}\udcff"
    parts: dict[str, Any] = {"method": "GET", "path": "/", "headers": {"host": "h"}}
    now = ccfs.Now.system()
    malformed: list[Any] = [
        lambda: ccfs.Client(server.endpoint, server.access_key, undecodable),
        lambda: ccfs.Client(f"https://user:{undecodable}@10.1.2.3", "ak", "sk"),
        lambda: ccfs.CallbackReceiver("ak", undecodable),
        lambda: ccfs.Exchange("playVoice", {"token": undecodable}, **server.settings),
        lambda: ccfs.sign("ak", undecodable, at=now.wall, **parts),
        lambda: ccfs.sign("ak", "sk", at=now.wall, **(parts | {"headers": {"x": undecodable}})),
        lambda: ccfs.sign("ak", "sk", at=now.wall, query={"token": undecodable}, **parts),
        lambda: ccfs.verify(undecodable, "ak", "sk", now=now.wall, **parts),
    ]
    for work in malformed:
        with pytest.raises(ValueError, match="not valid Unicode"):
            work()
        attempt(work)
    everything = "\n".join(shown)
    assert len(shown) > 15
    assert "AuthError" in everything
    assert MARKER not in everything
    assert signature not in everything
