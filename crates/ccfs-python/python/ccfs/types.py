"""Types for annotations of programs that use the package."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from ccfs._native import Done, Receive, Rewind, Send, Wait, Write

Kind: TypeAlias = Literal["agentSkillInfo", "agentOprInfo", "record", "call"]
"""Kinds of index files: changes of agents' skills, operations of agents, voice recordings, call legs."""

OnBadRow: TypeAlias = Literal["stop", "skip"]
"""What to do with a row that does not fit its columns: raise `DataError`, or skip and count it."""

Charset: TypeAlias = Literal["UTF-8", "GB18030", "UTF-16LE", "UTF-16BE"]
"""Charset of a member. GB18030 includes GBK and GB2312."""

Value: TypeAlias = int | str | list[str] | datetime | None
"""Value of a column. Local times of the call center have no time zone; UTC times have `timezone.utc`."""


class BinaryFile(Protocol):
    """A binary file object that seeks, such as `open(path, "rb")` returns."""

    def read(self, size: int, /) -> bytes:
        """Returns up to `size` bytes."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Moves to an offset from the start (0) or the end (2), and returns the position."""
        ...


Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | BinaryFile
"""Where an archive is read from. A file must not change while it is used."""

Pairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""Names and values. Bytes are Latin-1, as in ASGI."""

Query: TypeAlias = str | bytes | Pairs
"""A query: the text after the question mark, or its decoded keys and values."""

QueryLine: TypeAlias = Literal["omit", "empty"]
"""How signatures represent an absent query: by no line, or by an empty one."""

FailureKind: TypeAlias = Literal[
    "resolve",
    "connect",
    "proxy_refused",
    "tls",
    "broken",
    "idle_timeout",
    "body_broken",
    "invalid_http",
    "head_too_large",
]
"""How a connection failed. When it is not certain that the request never arrived, report `broken`."""

Step: TypeAlias = Send | Receive | Write | Rewind | Wait | Done
"""What a driver must do next."""
