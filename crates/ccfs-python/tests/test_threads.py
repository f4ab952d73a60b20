"""The interpreter is released while the package works, and Ctrl-C ends it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import ccfs
import pytest

from support import archive, skill_row

ZIP = archive(skill_row(index) for index in range(60_000))


@pytest.fixture
def no_forced_switches() -> Iterator[None]:
    """A thread runs until it releases the interpreter by itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("no_forced_switches")
def test_two_conversions_run_at_the_same_time(tmp_path: Path) -> None:
    events: list[str] = []

    def convert(name: str) -> None:
        events.append("begin")
        ccfs.to_parquet(ZIP, tmp_path / name)
        events.append("end")

    threads = [threading.Thread(target=convert, args=(f"{index}.parquet",)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events == ["begin", "begin", "end", "end"]


@pytest.mark.usefixtures("no_forced_switches")
def test_two_file_objects_are_read_at_the_same_time(tmp_path: Path) -> None:
    """The readers need the interpreter for each piece, and release it in between."""
    events: list[str] = []

    def convert(name: str) -> None:
        events.append("begin")
        ccfs.to_parquet(io.BytesIO(ZIP), tmp_path / name)
        events.append("end")

    threads = [threading.Thread(target=convert, args=(f"{index}.parquet",)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events == ["begin", "begin", "end", "end"]


@pytest.mark.usefixtures("no_forced_switches")
def test_the_fixture_finds_work_that_keeps_the_interpreter() -> None:
    """Pure Python in place of a conversion: the threads do not overlap."""
    events: list[str] = []

    def work() -> None:
        events.append("begin")
        sum(index for index in range(300_000))
        events.append("end")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events == ["begin", "end", "begin", "end"]


def test_threads_share_a_file_object() -> None:
    """Readers of one file object seek before they read, each to its own position."""
    opened = ccfs.open(io.BytesIO(ZIP))
    counts: list[int] = []

    def read() -> None:
        ids = {record["id"] for record in opened.records("agentSkillInfo", columns=["id"])}
        counts.append(len(ids))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [60_000] * 3


PROGRAMS = {
    "records": """
        for _ in ccfs.open(source).records("agentSkillInfo"):
            pass
    """,
    "parquet": "ccfs.to_parquet(source, target, overwrite=True)",
    # The consumer raises its own exception type, and `KeyboardInterrupt` follows at the next call.
    "stream": """
        try:
            pyarrow.table(ccfs.open(source).stream("agentSkillInfo"))
        except pyarrow.ArrowInvalid as error:
            assert str(error).endswith("interrupted")
    """,
}


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
@pytest.mark.parametrize("program", PROGRAMS)
def test_ctrl_c_interrupts_reading(program: str, tmp_path: Path) -> None:
    source = tmp_path / "skills.zip"
    source.write_bytes(ZIP)
    body = textwrap.indent(textwrap.dedent(PROGRAMS[program]).strip(), " " * 16)
    script = f"""
        import sys, ccfs, pyarrow
        source, target = sys.argv[1:]
        try:
            print("ready", flush=True)
            while True:
{body}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(source), str(tmp_path / "out.parquet")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert (output, process.returncode) == ("interrupted\n", 0)
    assert sorted(path.name for path in tmp_path.glob(".*")) == [], "no temporary file is left"
