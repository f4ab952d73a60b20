"""Types of the native part of the package, which `ccfs` exports."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias, final

from ccfs._errors import DataError

__version__: str
"""Version of the package."""

Kind: TypeAlias = Literal["agentSkillInfo", "agentOprInfo", "record", "call"]
"""Kinds of index files: changes of agents' skills, operations of agents, voice recordings, call legs."""

OnBadRow: TypeAlias = Literal["stop", "skip"]
"""What to do with a row that does not fit its columns: raise `DataError`, or skip and count it."""

Value: TypeAlias = int | str | list[str] | datetime | None
"""Value of a column. Local times of the call center have no time zone; UTC times have `timezone.utc`."""

class BinaryFile(Protocol):
    """A binary file object that seeks, such as `open(path, "rb")` returns."""

    def read(self, size: int, /) -> bytes:
        """Returns up to `size` bytes."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Moves to an offset from the start (0) or the end (2), and returns the position."""

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | BinaryFile
"""Where an archive is read from. A file must not change while it is used."""

def open(source: Source) -> Archive:
    """Opens an index archive: reads and checks its directory and the headers of its members.

    Data is inflated when records are read. A file object may be used by several readers, which seek
    before each read.

    Raises `DataError` if the source is not a ZIP archive, is damaged or exceeds a limit, and
    `OSError` if it cannot be read.
    """

def to_parquet(
    source: Source,
    target: str | os.PathLike[str],
    kind: Kind | None = None,
    tz: str | None = None,
    on_bad_row: OnBadRow = "stop",
    overwrite: bool = False,
) -> int:
    """Converts the records of an archive to a Parquet file, and returns their number.

    The columns are those of `Archive.stream`. The file is written atomically; an existing one is
    replaced only with `overwrite=True`. `kind` may be left out if all index files of the archive are
    of one kind.

    Raises `DataError` as `Archive.stream`, and `Error` with the code `file_exists` or `file`.
    """

@final
class Archive:
    """An index archive, from `ccfs.open`."""

    @property
    def members(self) -> list[Member]:
        """The members, in the order of the file."""

    def stream(
        self,
        kind: Kind,
        columns: Sequence[str] | None = None,
        on_bad_row: OnBadRow = "stop",
        tz: str | None = None,
        batch_size: int = 8192,
    ) -> Stream:
        """Returns the records of one kind as a stream of Arrow batches.

        `columns` selects columns by name, in this order; other columns are not parsed. `tz` is the
        IANA name of the call center's time zone: with it, each column `x` of local times is followed by
        a column `x_utc`. A batch has `batch_size` rows, 1 to 1,048,576; the last one may have fewer.

        Raises `ValueError` for unknown names. Nothing is read before the stream is.
        """

    def records(
        self,
        kind: Kind,
        columns: Sequence[str] | None = None,
        on_bad_row: OnBadRow = "stop",
        tz: str | None = None,
    ) -> Rows:
        """Returns an iterator over the records of one kind, each a dict from column names to values.

        The columns are those of `stream`. Use `stream` for more than some thousand records: it is
        many times faster.
        """

@final
class Member:
    """A member of an archive."""

    @property
    def name(self) -> str:
        """Path in the archive: relative, without `..`, control characters and drives."""

    @property
    def kind(self) -> Kind | None:
        """Kind of index file by its name; `None` for other members."""

    @property
    def size(self) -> int:
        """Declared size in bytes. Reading fails if it differs from the size of the data."""

    @property
    def compressed_size(self) -> int:
        """Compressed size in bytes."""

@final
class Stream:
    """Records of an archive as Arrow batches, for every library that accepts Arrow streams:
    `pyarrow.table(stream)`, `polars.DataFrame(stream)`, `duckdb.sql("from stream")`.

    To read batch by batch within bounded memory, use
    `pyarrow.RecordBatchReader.from_stream(stream)`. Each consumer reads from the start. The
    properties describe the latest reading.
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """Begins a reading and returns it as a capsule of the Arrow C stream interface.

        `requested_schema` is ignored, as the interface allows.

        Raises `DataError` or `OSError` if the archive cannot be opened. Errors of later batches are
        exceptions of the consumer, with the same message; see `error`.
        """

    @property
    def rows(self) -> int:
        """Number of good rows so far."""

    @property
    def bad_rows(self) -> int:
        """Number of rows skipped so far with `on_bad_row="skip"`."""

    @property
    def bad_row_messages(self) -> list[str]:
        """Positions and faults of the first 100 skipped rows."""

    @property
    def notes(self) -> list[str]:
        """Notes on skipped or guessed data, once the reading has ended."""

    @property
    def error(self) -> DataError | OSError | None:
        """The error that ended the reading, with its position."""

@final
class Rows:
    """Iterator over the records of an archive."""

    def __iter__(self) -> Iterator[dict[str, Value]]:
        """Returns the iterator itself."""

    def __next__(self) -> dict[str, Value]:
        """Returns the next record.

        Raises `DataError` after the good rows before a bad one, and `OSError` if the source cannot be
        read.
        """
