"""The interpreter is released while the package works, and Ctrl-C ends it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import ccfs
import pytest

from support import archive, skill_row

ZIP = archive(skill_row(index) for index in range(60_000))


class Meeting(io.BytesIO):
    """A file whose first read after `open` waits for another thread to read, too.

    Threads that are never inside of the package at the same time do not meet.
    """

    def __init__(self, content: bytes, barrier: threading.Barrier) -> None:
        super().__init__(content)
        self.barrier = barrier
        self.is_open = False
        self.met = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.is_open and not self.met:
            self.met = True
            self.barrier.wait(timeout=60)
        return super().read(size)


def test_two_threads_read_at_the_same_time() -> None:
    barrier = threading.Barrier(2)
    counts: list[int] = []

    def read() -> None:
        file = Meeting(ZIP, barrier)
        opened = ccfs.open(file)
        file.is_open = True
        counts.append(sum(1 for _ in opened.records("agentSkillInfo", columns=["id"])))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [60_000, 60_000]


def test_python_runs_while_an_archive_is_converted(tmp_path: Path) -> None:
    """Pure Python runs in this thread during a call that never touches the interpreter."""
    began, done = threading.Event(), threading.Event()
    steps = 0

    def convert() -> None:
        began.set()
        ccfs.to_parquet(ZIP, tmp_path / "skills.parquet")
        done.set()

    # If the interpreter were not released, this thread would run only before and after the call.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = threading.Thread(target=convert)
        thread.start()
        began.wait()
        while not done.is_set():
            steps += 1
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert steps > 100


PROGRAMS = {
    "records": """
        for _ in ccfs.open(source).records("agentSkillInfo"):
            pass
    """,
    "parquet": "ccfs.to_parquet(source, target, overwrite=True)",
    "stream": 'pyarrow.table(ccfs.open(source).stream("agentSkillInfo"))',
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
        print("ready", flush=True)
        try:
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
