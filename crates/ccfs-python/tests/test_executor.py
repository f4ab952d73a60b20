"""`Client.pull` with an executor: processes, Dask, killed workers, tasks that run twice."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

import ccfs
import distributed
import pytest

from conftest import Serve, Server

# Most of its functions have no types.
dask: Any = distributed

ZONE = "Asia/Shanghai"
OWN = ("ccfs-pull.journal", ".ccfs-pull.lock")
SLOW = "slow:80@downloadAgentSkillInfoFile"


def client(server: Server) -> ccfs.Client:
    return ccfs.Client(server.endpoint, server.access_key, server.secret_key)


def options(out: Path, days: int = 4) -> dict[str, Any]:
    """Arguments of a pull of some days, one period each."""
    return {
        "from_": "2023-04-01",
        "to": f"2023-04-{days:02}",
        "tz": ZONE,
        "out": out,
        "convert": "parquet",
    }


def files(folder: Path) -> dict[str, bytes]:
    """Returns the files below a folder, without the journal and the lock."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name not in OWN)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def plain(server: Server, out: Path) -> dict[str, bytes]:
    """Returns the files of a pull without an executor, of the jobs that another pull asked for."""
    copy = out.with_name(f"plain-{out.name}")
    copy.mkdir()
    lines = (out / OWN[0]).read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"event":"stored"' not in line]
    (copy / OWN[0]).write_text("".join(kept))
    days = len(list(out.glob("*.zip")))
    summary = client(server).pull(**options(copy, days))
    assert (summary.requested, len(summary.windows), len(summary.failed)) == (0, days, 0)
    return files(copy)


def asked(server: Server) -> int:
    """Returns how many files the server was asked to make."""
    return sum("query" in (request["interface"] or "") for request in server.requests())


def fetched(server: Server) -> int:
    """Returns how many downloads there were."""
    return sum("download" in (request["interface"] or "") for request in server.requests())


@pytest.fixture
def server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server, which the environment of workers names."""
    server = serve("--rows", "300")
    use(server, monkeypatch)
    return server


def use(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the environment of workers."""
    for name, value in server.environment.items():
        if name.startswith("CCFS_"):
            monkeypatch.setenv(name, value)


def pool(workers: int = 2, method: str = "spawn") -> ProcessPoolExecutor:
    """Returns a pool of processes."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method))


class Wrapped(Executor):
    """An executor that changes what another runs."""

    def __init__(self, inner: Executor, change: Callable[..., Callable[..., Any]]) -> None:
        self.inner = inner
        self.change = change
        self.submitted: list[tuple[Any, ...]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted.append((fn, *args))
        return self.inner.submit(self.change(fn), *args, **kwargs)


def test_a_pool_of_processes_fetches_the_files(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reports: list[int] = []
    with pool() as executor:
        pull: dict[str, Any] = options(out) | {"executor": executor}
        summary = client(server).pull(progress=lambda report: reports.append(report.received), **pull)
        assert (summary.rows, summary.requested, len(summary.failed)) == (1200, 4, 0)
        assert files(out) == plain(server, out)
        assert asked(server) == 4
        assert reports[-1] == sum(path.stat().st_size for path in out.glob("*.zip"))
        again = client(server).pull(**pull)
        assert (again.rows, again.requested, again.resumed) == (1200, 0, 4)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_forked_workers_do_not_keep_the_folder_locked(server: Server, tmp_path: Path) -> None:
    with pool(1, "fork") as executor:
        for days in (1, 2):
            summary = client(server).pull(executor=executor, **options(tmp_path / "out", days))
            assert summary.rows == 300 * days


def make_client(endpoint: str, access_key: str, secret_file: str) -> ccfs.Client:
    """Returns a worker's client, with a secret key that is where the worker is."""
    return ccfs.Client(endpoint, access_key, Path(secret_file).read_text(encoding="utf-8"))


def test_tasks_contain_no_secret(serve: Serve, tmp_path: Path) -> None:
    """The environment has no keys here: a function makes the workers' clients."""
    server = serve("--rows", "10")
    secret_file = tmp_path / "secret"
    secret_file.write_text(server.secret_key, encoding="utf-8")
    factory = partial(make_client, server.endpoint, server.access_key, str(secret_file))
    with pool(1) as executor:
        recorded = Wrapped(executor, lambda fn: fn)
        pull = options(tmp_path / "out") | {"executor": recorded}
        summary = client(server).pull(worker_client=factory, **pull)
        assert (summary.rows, len(recorded.submitted)) == (40, 4)
        pickles = b"".join(pickle.dumps(call) for call in recorded.submitted)
        assert server.access_key.encode() in pickles
        assert server.secret_key.encode() not in pickles
        with pytest.raises(ccfs.Error, match="CCFS_ENDPOINT") as caught:
            client(server).pull(**(pull | {"out": tmp_path / "other"}))
    assert caught.value.code == "executor"
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ValueError, match="worker_client needs an executor"):
        client(server).pull(worker_client=factory, **options(tmp_path / "out"))


def wrong_client() -> ccfs.Client:
    """Returns a client of another server."""
    return ccfs.Client("http://127.0.0.1:9", "ak", "sk")


def test_a_worker_of_another_server_fetches_nothing(server: Server, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(ccfs.Error, match="use the same endpoint") as caught:
            client(server).pull(executor=executor, worker_client=wrong_client, **options(tmp_path / "x"))
    assert caught.value.code == "task"


@pytest.mark.parametrize("is_remote", [False, True], ids=["plain", "executor"])
def test_failures_are_those_of_a_plain_pull(
    is_remote: bool, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases: list[tuple[str, dict[str, Any] | None]] = [
        ("corrupt-zip@downloadAgentSkillInfoFile*1", None),
        ("unauthorized@downloadAgentSkillInfoFile", {"status": 401, "retryable": False}),
        ("error-under-200:0300018@downloadAgentSkillInfoFile", {"result_code": "0300018"}),
    ]
    for number, (fault, attributes) in enumerate(cases):
        server = serve("--rows", "300", "--fault", fault)
        use(server, monkeypatch)
        pull = options(tmp_path / str(number), 1)
        with ThreadPoolExecutor(1) as executor:
            if is_remote:
                # The environment is that of this server, not of the one before.
                pull |= {"executor": executor, "worker_client": partial(client, server)}
            if attributes is None:
                assert client(server).pull(**pull).rows == 300
                assert fetched(server) == 2
                continue
            with pytest.raises(ccfs.Error, match="20230401T000000") as caught:
                client(server).pull(**pull)
        error = caught.value
        assert {name: getattr(error, name) for name in attributes} == attributes
        assert type(error) is (ccfs.AuthError if "status" in attributes else ccfs.ServerError)
        assert fetched(server) == 1


def is_first(marker: Path) -> bool:
    """Returns whether no other process has made the file."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def kill_once(folder: Path, fn: Callable[..., Any], *args: Any) -> Any:
    """Runs a task, and kills the process of the first one while it downloads."""
    if is_first(folder / "killed"):
        threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    return fn(*args)


def kill_once_and_run_twice_once(folder: Path, fn: Callable[..., Any], *args: Any) -> Any:
    """Kills the process of the first task, and runs the second one twice at the same time."""
    if (folder / "killed").exists() and is_first(folder / "twice"):
        with ThreadPoolExecutor(2) as threads:
            first, second = threads.map(lambda _: fn(*args), range(2))
        assert first == second
        return second
    return kill_once(folder, fn, *args)


def test_a_broken_pool_ends_the_pull_and_loses_nothing(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, out = serve("--rows", "300", "--fault", SLOW), tmp_path / "out"
    use(server, monkeypatch)
    with pool() as executor:
        killing = Wrapped(executor, lambda fn: partial(kill_once, tmp_path, fn))
        with pytest.raises(ccfs.Error, match="the next pull continues from here") as caught:
            client(server).pull(executor=killing, **options(out))
    assert caught.value.code == "executor"
    assert isinstance(caught.value.__cause__, BrokenProcessPool)
    with pool() as executor:
        summary = client(server).pull(executor=executor, **options(out))
    assert (summary.rows, asked(server)) == (1200, 4)
    assert files(out) == plain(server, out)


def test_progress_stops_a_pull_and_its_workers(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file takes eight seconds.
    server = serve("--rows", "300", "--fault", SLOW.replace("80", "1000"))
    use(server, monkeypatch)
    out = tmp_path / "out"

    def progress(report: ccfs.PullProgress) -> bool:
        return len(list(out.glob(".agentSkillInfo_2023*.part"))) == 0

    with pool() as executor:
        started = time.monotonic()
        with pytest.raises(ccfs.Error, match="stopped") as caught:
            client(server).pull(executor=executor, progress=progress, **options(out))
        assert caught.value.code == "stopped"
    # The pool has waited for its workers.
    assert time.monotonic() - started < 7
    assert files(out) == {}


@pytest.fixture
def cluster() -> Iterator[Callable[[], Executor]]:
    """Returns a function that starts two processes of Dask, which have the environment of the test."""
    started: list[Any] = []

    def start() -> Executor:
        started.append(dask.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
        started.append(dask.Client(started[0]))
        executor: Executor = started[1].get_executor()
        return executor

    yield start
    for item in reversed(started):
        item.close()


def test_dask_survives_a_killed_worker_and_a_task_that_runs_twice(
    serve: Serve,
    cluster: Callable[[], Executor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, out = serve("--rows", "300", "--fault", SLOW), tmp_path / "out"
    use(server, monkeypatch)
    executor = cluster()
    wrapped = Wrapped(executor, lambda fn: partial(kill_once_and_run_twice_once, tmp_path, fn))
    summary = client(server).pull(executor=wrapped, **options(out, 5))
    assert (summary.rows, summary.requested, len(summary.failed)) == (1500, 5, 0)
    assert (tmp_path / "killed").exists() and (tmp_path / "twice").exists()
    # What the killed worker left is hidden, and the next pull removes it.
    assert client(server).pull(executor=executor, **options(out, 5)).requested == 0
    assert files(out) == plain(server, out)
    assert asked(server) == 5
    # Those of the pull, one of them twice, the one of the killed worker again, and those of the plain pull.
    assert fetched(server) >= 12
