"""Index archives as a data source of Spark 4.

>>> import ccfs.spark  # doctest: +SKIP
>>> spark.dataSource.register(ccfs.spark.Archives)  # doctest: +SKIP
>>> reader = spark.read.format("ccfs").option("kind", "agentSkillInfo")  # doctest: +SKIP
>>> reader.load("zips/*.zip").groupBy("agent_id").count().show()  # doctest: +SKIP

This module needs pyspark and pyarrow; the rest of the package does not. The package must be installed
on every executor, and every executor must be able to read the archives by the same paths.
"""

from __future__ import annotations

import errno
import glob
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import pyarrow
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

import ccfs
from ccfs.types import Kind, OnBadRow

__all__ = ["Archives"]

OPTIONS = ("kind", "columns", "tz", "on_bad_row")

logger = logging.getLogger("ccfs.spark")


class Archives(DataSource):
    """Index archives in a file system. The name of the format is `ccfs`.

    `load` accepts paths of archives, glob patterns, and folders, whose `*.zip` files at any depth are
    read. As in other sources, hidden files are skipped in folders, and so are `*.rejected.zip`, which
    `ccfs pull` could not use. Each archive is a partition and is read once, even if several paths
    name it. No server is asked, so that tasks may run again.

    Options:

    - `kind`: `agentSkillInfo`, `agentOprInfo`, `record` or `call`. Required.
    - `tz`: IANA name of the call center's time zone. With it, each column `x` of local times also
      exists as `x_utc`.
    - `columns`: names of the columns to read, with commas between them. Other columns are not parsed.
      Default: all. The API of Python data sources does not pass the columns of a query, so that
      `select` alone does not make reading cheaper.
    - `on_bad_row`: `stop` (default) fails the job at a row that does not fit its columns, and `skip`
      skips such rows. The log of the executor has their number and the first of them.

    The columns are those of `Archive.stream`. Local times are `TIMESTAMP_NTZ`, which no time zone of a
    session changes; UTC times are `TIMESTAMP`. A schema that is passed to `spark.read.schema` selects
    columns, too; its types must be the same.

    The schema comes from the options alone. Archives are opened by tasks: errors of a damaged archive
    or a bad row have its path, the member and the line.
    """

    @classmethod
    def name(cls) -> str:
        """Returns `ccfs`."""
        return "ccfs"

    def schema(self) -> StructType:
        """Returns the columns. Raises `ValueError` if an option is not valid."""
        return Selection.of(self.options).schema()

    def reader(self, schema: StructType) -> DataSourceReader:
        """Returns a reader of these columns.

        Raises `ValueError` if an option is not valid, or a column does not exist or has another type.
        """
        selection = Selection.of(self.options).select(schema)
        return ArchivesReader(paths(self.options), selection)


@dataclass(frozen=True)
class Selection:
    """What is read of each archive."""

    kind: Kind
    """Kind of index file."""
    columns: tuple[str, ...] | None
    """Names of the columns, in order; `None` for all."""
    tz: str | None
    """IANA name of the call center's time zone."""
    on_bad_row: OnBadRow
    """What to do with a row that does not fit its columns."""

    @staticmethod
    def of(options: Mapping[str, str]) -> Selection:
        """Returns the selection of the options."""
        for name in options:
            if name.lower() not in (*OPTIONS, "path", "paths"):
                raise ValueError(f"unknown option {name!r}; use {', '.join(OPTIONS)}")
        if "kind" not in options:
            raise ValueError('the option "kind" is missing; pass agentSkillInfo, for example')
        on_bad_row = options.get("on_bad_row", "stop")
        if on_bad_row not in ("stop", "skip"):
            raise ValueError(f'on_bad_row is {on_bad_row!r}; use "stop" or "skip"')
        columns = options.get("columns")
        names = columns and tuple(name.strip() for name in columns.split(","))
        # `ccfs.schema` checks the kind.
        kind = cast(Kind, options["kind"])
        return Selection(kind, names or None, options.get("tz"), cast(OnBadRow, on_bad_row))

    def arrow_schema(self) -> pyarrow.Schema:
        """Returns the columns as Arrow types."""
        # The stubs of pyarrow do not have the Arrow C data interface.
        exported: Any = ccfs.schema(self.kind, self.columns, self.tz)
        return pyarrow.schema(exported)

    def schema(self) -> StructType:
        """Returns the columns as types of Spark."""
        return from_arrow_schema(self.arrow_schema(), prefer_timestamp_ntz=True)

    def select(self, schema: StructType) -> Selection:
        """Returns the selection of the columns of `schema`."""
        possible = {field.name: field.dataType for field in self.schema()}
        for field in schema:
            if field.name not in possible:
                has = ", ".join(possible)
                raise ValueError(f"{self.kind} has no column {field.name!r}; it has {has}")
            if field.dataType != possible[field.name]:
                wanted, found = (kind.simpleString() for kind in (field.dataType, possible[field.name]))
                raise ValueError(f"the column {field.name} is {found}, not {wanted}; use cast")
        return Selection(self.kind, tuple(schema.fieldNames()), self.tz, self.on_bad_row)


class ArchivesReader(DataSourceReader):
    """Reads archives. It has no state, so that it may be copied, and a partition read again."""

    def __init__(self, paths: list[str], selection: Selection) -> None:
        """Creates a reader of the archives at `paths`, which may be patterns and folders."""
        self.paths = paths
        self.selection = selection

    def partitions(self) -> list[InputPartition]:
        """Returns a partition for each archive. Opens none of them."""
        return [InputPartition(path) for path in archives(self.paths)]

    def read(self, partition: InputPartition) -> Iterator[pyarrow.RecordBatch]:
        """Returns the batches of the archive."""
        path, chosen = str(partition.value), self.selection
        try:
            archive = ccfs.open(path)
            stream = archive.stream(chosen.kind, chosen.columns, chosen.on_bad_row, chosen.tz)
            reader = pyarrow.RecordBatchReader.from_stream(stream)
        except (ccfs.DataError, OSError) as error:
            raise located(error, path) from None
        try:
            yield from reader
        except pyarrow.ArrowException as error:
            # The exception of pyarrow has the message alone.
            raise located(stream.error or error, path) from None
        if stream.bad_rows:
            first = stream.bad_row_messages[0]
            logger.warning("%s: skipped %d bad rows, first: %s", path, stream.bad_rows, first)
        for note in stream.notes:
            logger.info("%s: %s", path, note)


def located(error: Exception, path: str) -> Exception:
    """Returns the error with the path of the archive in its message."""
    if path in str(error):
        return error
    message = f"{path}: {error}"
    if isinstance(error, ccfs.DataError):
        at = (error.member, error.line, error.column, error.column_name)
        return ccfs.DataError(message, error.code, None, None, error.retryable, *at)
    if isinstance(error, OSError):
        return OSError(error.errno, message) if error.errno else OSError(message)
    return ccfs.DataError(message)


def paths(options: Mapping[str, str]) -> list[str]:
    """Returns what was passed to `load`: Spark passes one path as it is, and several as JSON."""
    several = options.get("paths")
    found = [str(path) for path in json.loads(several)] if several else []
    one = options.get("path")
    if one:
        found.append(one)
    if not found:
        raise ValueError('no path; pass paths of archives to load, such as load("zips/*.zip")')
    return found


def archives(paths: list[str]) -> list[str]:
    """Returns the absolute paths of the archives, in order and without repetitions.

    Raises `FileNotFoundError` for a path without any archive.
    """
    found: dict[str, None] = {}
    for given in paths:
        path = local(given)
        # A file may have a name that is also a pattern.
        matches = [path] if os.path.lexists(path) else sorted(glob.glob(path, recursive=True))
        files = []
        for match in matches:
            files += below(match) if os.path.isdir(match) else [match]
        if not files:
            raise FileNotFoundError(errno.ENOENT, "no archives found", given)
        found |= dict.fromkeys(os.path.abspath(file) for file in files)
    return list(found)


def below(folder: str) -> list[str]:
    """Returns the archives in a folder and the folders below it."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in files:
            is_archive = name.lower().endswith(".zip") and not name.endswith(".rejected.zip")
            if is_archive and not name.startswith((".", "_")):
                found.append(os.path.join(parent, name))
    return sorted(found)


def local(path: str) -> str:
    """Returns the path of a `file:` URI, and other paths unchanged."""
    if path.startswith("file:/"):
        return unquote(urlsplit(path).path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path):
        raise ValueError(f"{path} is not a path of a file system; mount it on every executor")
    return path
