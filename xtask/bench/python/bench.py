"""Compares `ccfs` with `zipfile` and `pyarrow.csv`: a ZIP of 1,000,000 rows as a table with typed times and lists.

Prints ratios of one interleaved run, and the memory that iterating takes. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import ccfs
import pandas
import pyarrow
import pyarrow.compute
import pyarrow.csv

KIND = "agentSkillInfo"
MEMBER = f"20150208202330123456_{KIND}.csv"
HEADER = (
    "id,developer_id,account_id,sub_cc_no,vdn,agent_id,operate_time,operate_id,operate_type,"
    "skill_list,logon_sn,operate_sn,operate_end_time,renew_flag,update_time,month_of_year"
)
NUMBERS = "sub_cc_no vdn agent_id operate_id operate_type operate_sn renew_flag month_of_year".split()
TIMES = ["operate_time", "operate_end_time", "update_time"]

SPEED_BAR = 5.0
"""`ccfs` must be at least this many times as fast as the others."""
MEMORY_BAR = 32 << 20
"""Bytes that iterating over ten times as many rows may take more."""


def generate(path: Path, rows: int) -> None:
    """Writes a ZIP with one member, as CC-FS does."""
    if path.exists():
        return
    parts = path.with_suffix(".part")
    with zipfile.ZipFile(parts, "w", zipfile.ZIP_DEFLATED) as zip, zip.open(MEMBER, "w") as member:
        member.write(f"{HEADER}\r\n".encode())
        for begin in range(0, rows, 10_000):
            lines = []
            for index in range(begin, min(begin + 10_000, rows)):
                mixed = index * 2_654_435_761 % (1 << 32)
                clock = f"{index * 86400 // rows // 3600:02}:{mixed % 60:02}:{mixed // 60 % 60:02}"
                skills = ";".join(str(100 + (mixed >> shift) % 40) for shift in range(mixed % 6))
                lines.append(
                    f"{mixed:08x}{index:024x},5d1b6ca2b5e14ca1,202303282151,1,{mixed % 9 + 1},"
                    f"{10_000 + mixed % 500},2023-04-05 {clock},{mixed % 77},{mixed % 12},{skills},"
                    f"{mixed:010},{index % 60 + 1},2023-04-05 {clock},0,2023-04-05 {clock},4\r\n"
                )
            member.write("".join(lines).encode())
    parts.rename(path)


def with_ccfs(path: Path) -> pyarrow.Table:
    """All columns of the file, without those that `ccfs` adds."""
    return pyarrow.table(ccfs.open(path).stream(KIND, columns=HEADER.split(",")))


def with_pyarrow(path: Path) -> pyarrow.Table:
    """The same columns with the same types."""
    types = dict.fromkeys(NUMBERS, pyarrow.int64())
    types |= dict.fromkeys(TIMES, pyarrow.timestamp("us"))
    texts = [name for name in HEADER.split(",") if name not in types]
    types |= dict.fromkeys(texts, pyarrow.string())
    options = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    with zipfile.ZipFile(path) as zip, zip.open(MEMBER) as member:
        table = pyarrow.csv.read_csv(member, convert_options=options)
    at = table.column_names.index("skill_list")
    cells = pyarrow.compute.fill_null(table.column(at), "")
    lists = pyarrow.compute.split_pattern(cells, ";")
    at_utc = table.column_names.index("update_time")
    utc = table.column(at_utc).cast(pyarrow.timestamp("us", "UTC"))
    return table.set_column(at, "skill_list", lists).set_column(at_utc, "update_time", utc)


def with_pandas(path: Path) -> pandas.DataFrame:
    """The same columns, as pandas reads them: the usual way to read such a file."""
    types: dict[str, str] = dict.fromkeys(NUMBERS, "Int64")
    frame = pandas.read_csv(path, compression="zip", dtype=types, parse_dates=TIMES)
    frame["skill_list"] = frame["skill_list"].str.split(";")
    return frame


def inflated(path: Path) -> None:
    """Inflates the file with the standard library, and does nothing with it: what every reader has to do first."""
    with zipfile.ZipFile(path) as zip, zip.open(MEMBER) as member:
        while member.read(1 << 20):
            pass


def seconds(work: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Returns how long a function takes, and the time of this process's processors."""
    started, cpu = time.perf_counter(), time.process_time()
    work(*arguments)
    return time.perf_counter() - started, time.process_time() - cpu


def peak() -> int:
    """Returns the largest amount of memory that this process had so far, in bytes."""
    # Not `ru_maxrss`, which a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) * 1024


def iterate(path: Path) -> None:
    """Reads batch by batch, and prints the bytes of memory beyond those before."""
    before = peak()
    rows = 0
    for batch in pyarrow.RecordBatchReader.from_stream(ccfs.open(path).stream(KIND)):
        rows += batch.num_rows
    print(peak() - before)


def memory(path: Path) -> int:
    """Returns the memory of a process that iterates over a file."""
    command = [sys.executable, __file__, "--iterate", str(path)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--iterate", type=Path)
    arguments = parser.parse_args()
    if arguments.iterate:
        iterate(arguments.iterate)
        return 0
    rows, folder = arguments.rows, arguments.folder
    large, small = folder / f"{rows}.zip", folder / f"{rows // 10}.zip"
    generate(large, rows)
    generate(small, rows // 10)

    # Both make the same table.
    ours, theirs = with_ccfs(large), with_pyarrow(large)
    assert ours.num_rows == theirs.num_rows == len(with_pandas(large)) == rows
    for name in HEADER.split(","):
        # Their empty cells of text are null, and an empty cell is a list with an empty text.
        if name != "skill_list":
            assert ours.column(name).combine_chunks().equals(theirs.column(name).combine_chunks()), name
    del ours, theirs

    readers: list[Callable[[Path], object]] = [with_ccfs, with_pyarrow, inflated]
    rounds = [[seconds(reader, large) for reader in readers] for _ in range(arguments.rounds)]
    ratio, cpu_ratio = (statistics.median(one[1][at] / one[0][at] for one in rounds) for at in range(2))
    wall, cpu = ([min(one[reader][at] for one in rounds) for reader in range(3)] for at in range(2))
    slow = seconds(with_pandas, large)
    print(f"{rows:,} rows, {large.stat().st_size >> 20} MiB, {arguments.rounds} rounds, best times:")
    print("                             seconds  of processors")
    for at, name in enumerate(["ccfs", "zipfile and pyarrow.csv", "zipfile alone, no parsing"]):
        print(f"  {name:<26} {wall[at]:>7.2f} {cpu[at]:>14.2f}")
    print(f"  {'pandas, once':<26} {slow[0]:>7.2f} {slow[1]:>14.2f}")
    print(f"  ccfs is {ratio:.1f} times as fast as zipfile and pyarrow.csv (median of the rounds; processor time: {cpu_ratio:.1f})")
    print(f"  and {slow[0] / wall[0]:.1f} times as fast as pandas (processor time: {slow[1] / cpu[0]:.1f})")
    print(f"  a reader whose parsing takes no time has a ratio of processor time of {cpu[1] / cpu[2]:.1f} to zipfile and pyarrow.csv")
    used = {path: memory(path) for path in (small, large)}
    print(f"  memory of iterating: {used[large] >> 20} MiB, over a tenth of the rows {used[small] >> 20} MiB")
    missed = []
    if ratio < SPEED_BAR:
        missed.append(f"the ratio is {ratio:.1f}, the bar {SPEED_BAR}")
    if used[large] - used[small] > MEMORY_BAR:
        missed.append(f"memory grows with the rows by more than {MEMORY_BAR >> 20} MiB")
    for line in missed:
        print(f"missed: {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
