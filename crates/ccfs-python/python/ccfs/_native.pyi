"""Types of the native part of the package, which `ccfs` exports."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, final

from ccfs._errors import DataError, Error
from ccfs.types import (
    Charset,
    FailureKind,
    Kind,
    OnBadRow,
    Pairs,
    Query,
    QueryLine,
    Source,
    Step,
    Value,
)

__all__ = [
    "Archive",
    "Callback",
    "CallbackReceiver",
    "Client",
    "Done",
    "Exchange",
    "Member",
    "Now",
    "Progress",
    "PullProgress",
    "Receive",
    "Reception",
    "Rewind",
    "Rows",
    "Schema",
    "Send",
    "Stream",
    "Summary",
    "Wait",
    "Window",
    "Write",
    "__version__",
    "open",
    "run_task",
    "schema",
    "sign",
    "to_parquet",
    "verify",
]

__version__: str
"""Version of the package."""

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
    charset: Charset | None = None,
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
        charset: Charset | None = None,
    ) -> Stream:
        """Returns the records of one kind as a stream of Arrow batches.

        `columns` selects columns by name, in this order; other columns are not parsed. `tz` is the
        IANA name of the call center's time zone: with it, each column `x` of local times is followed by
        a column `x_utc`. A batch has `batch_size` rows, 1 to 1,048,576; the last one may have fewer.
        `charset` is that of all members; default: detected for each member.

        Raises `ValueError` for unknown names. Nothing is read until a consumer reads the stream.
        """

    def records(
        self,
        kind: Kind,
        columns: Sequence[str] | None = None,
        on_bad_row: OnBadRow = "stop",
        tz: str | None = None,
        charset: Charset | None = None,
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
        exceptions of the consumer, with the same message; see `error`. Ctrl-C also becomes an exception
        of the consumer, with the message `interrupted`; `KeyboardInterrupt` follows at the next function
        call.
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

def schema(
    kind: Kind,
    columns: Sequence[str] | None = None,
    tz: str | None = None,
) -> Schema:
    """Returns the columns of `Archive.stream` with the same arguments. Reads nothing.

    Raises `ValueError` for unknown names.
    """

@final
class Schema:
    """Names and types of columns, for every library that accepts Arrow schemas:
    `pyarrow.schema(schema)`."""

    def __arrow_c_schema__(self) -> Any:
        """Returns the schema as a capsule of the Arrow C data interface."""

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""

# ---- the protocol without I/O

def sign(
    access_key: str,
    secret_key: str,
    *,
    method: str,
    path: str,
    headers: Pairs,
    at: datetime,
    body: bytes | None = None,
    query: Query | None = None,
    query_line: QueryLine = "omit",
    precision: Literal["milliseconds", "seconds"] = "milliseconds",
) -> str:
    """Signs a request, and returns the value of its `Authorization` header.

    Each part must be what is sent, byte for byte. `headers` are the headers to sign; `host` must be
    one of them. `at` is the time of the signature, with a time zone. Keep the value out of logs: its
    reader can replay the request.

    Raises `ValueError` if a key is malformed or the request cannot be signed.
    """

def verify(
    authorization: str,
    access_key: str,
    secret_key: str,
    *,
    method: str,
    path: str,
    headers: Pairs,
    now: datetime,
    body: bytes | None = None,
    query: Query | None = None,
    query_line: QueryLine | None = None,
    max_age: float | None = 900.0,
) -> datetime:
    """Verifies the value of an `Authorization` header, and returns the time of the signature.

    `headers` may contain headers that are not signed. Both dialects of the query line are accepted,
    unless `query_line` is given. `max_age` is how many seconds the signature may be older than `now`,
    or ahead of it; `None` accepts any age.

    Raises `SignatureError` if the signature is not valid, and `ValueError` if a key is malformed.
    """

@final
class Now:
    """The current time, which every method of an exchange needs: the wall clock for signatures, and
    a monotonic clock for timeouts."""

    def __new__(cls, wall: datetime, monotonic: float) -> Now:
        """Creates a time from a `datetime` with a time zone, and seconds since any fixed point."""

    @staticmethod
    def system() -> Now:
        """Reads the clocks of the system."""

    @property
    def wall(self) -> datetime:
        """The wall clock, in UTC and whole milliseconds."""

    @property
    def monotonic(self) -> float:
        """Seconds on the monotonic clock."""

@final
class Send:
    """Connect to `host` and `port`, and send this request unchanged, with a client that follows no
    redirects and decompresses nothing. Then call `on_head` or `on_failure`."""

    @property
    def method(self) -> str:
        """`GET` or `POST`."""

    @property
    def url(self) -> str:
        """The whole URL. Its query may hold a token."""

    @property
    def target(self) -> str:
        """Path and query, for the request line."""

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All headers to send, `host` and `authorization` included."""

    @property
    def body(self) -> bytes:
        """The body; empty for `GET`."""

    @property
    def host(self) -> str:
        """Host name, or an IP address without brackets."""

    @property
    def port(self) -> int:
        """Port of the server."""

    @property
    def tls(self) -> bool:
        """Whether the connection uses TLS."""

    @property
    def idle_timeout(self) -> float:
        """Seconds to wait for the response's head before `on_failure(now, "idle_timeout")`."""

    @property
    def remaining(self) -> float:
        """Seconds left of the total timeout."""

@final
class Receive:
    """Read a piece of the body. Then call `on_body`, `on_end` at its end, or `on_failure`."""

    @property
    def idle_timeout(self) -> float:
        """Seconds to wait for the piece before `on_failure(now, "idle_timeout")`."""

@final
class Write:
    """Append bytes to the file. Then poll again."""

    @property
    def data(self) -> bytes:
        """The bytes."""

@final
class Rewind:
    """Discard what was written so far, because another attempt follows. Then poll again."""

@final
class Wait:
    """Wait. Then poll again."""

    @property
    def seconds(self) -> float:
        """How long."""

@final
class Done:
    """The call is over."""

    def result(self) -> dict[str, Any]:
        """Returns the answer, as `Client.call` or `Client.fetch` does, or raises the error."""

    @property
    def answer(self) -> dict[str, Any] | None:
        """The answer; `None` if the call failed."""

    @property
    def error(self) -> Error | None:
        """The error; `None` if the call succeeded."""

@final
class Exchange:
    """One call, from the first attempt to its outcome, as a state machine without I/O.

    It signs every attempt, classifies the answer, retries what may be retried, signs once more with
    the server's time if the local clock is wrong, and enforces the timeouts. A driver calls `poll` in
    a loop, does what the returned step says, and reports what happened. It makes no decisions.

    A method that the exchange did not ask for raises `RuntimeError` and changes nothing.
    """

    def __new__(
        cls,
        interface: str,
        fields: Mapping[str, str | int | bytes] | None = None,
        *,
        endpoint: str,
        access_key: str,
        secret_key: str,
        rewinds: bool = False,
        query_line: QueryLine = "omit",
        max_retries: int = 3,
        idle_timeout: float = 60.0,
        total_timeout: float = 1800.0,
        correction_ms: int = 0,
        jitter: Callable[[], int] | None = None,
    ) -> Exchange:
        """Creates a call of an interface, such as `downloadAgentSkillInfoFile`. Nothing is sent yet.

        `rewinds` is whether the driver can discard what it wrote: without it, a download that breaks
        after its first byte fails. `correction_ms` is `confirmed_correction_ms` of an earlier call.
        `jitter` returns random numbers of 64 bits for the waits between attempts; without it, each wait
        is the longest of its range. Timeouts are in seconds.

        Raises `Error` with the code `invalid_request` if the interface or a field is not valid, and
        `ValueError` for other arguments.
        """

    def poll(self, now: Now) -> Step:
        """Returns the next step. Call it first, after every report, and after every step that needs
        none (`Write`, `Rewind`, `Wait`)."""

    def on_head(self, now: Now, status: int, headers: Pairs) -> None:
        """Reports the status and the headers of the response, after `Send`."""

    def on_body(self, now: Now, data: bytes) -> None:
        """Reports a piece of the body, of any size, after `Receive`."""

    def on_end(self, now: Now) -> None:
        """Reports the end of the body, after `Receive`. The exchange compares the length with
        `Content-Length`."""

    def on_failure(self, now: Now, kind: FailureKind, status: int | None = None) -> None:
        """Reports that the connection failed, after `Send` or `Receive`. `status` is the status of the
        proxy's answer, for `proxy_refused`."""

    @property
    def attempts(self) -> int:
        """Number of requests sent so far."""

    @property
    def received(self) -> int:
        """Bytes of the body that arrived in the latest attempt."""

    @property
    def declared(self) -> int | None:
        """Length of the body that the server declared."""

    @property
    def clock_skew_ms(self) -> int | None:
        """How far the server's clock is ahead, in milliseconds, if a response showed it."""

    @property
    def confirmed_correction_ms(self) -> int | None:
        """The correction of the clock to pass to later calls as `correction_ms`, if this call changed the
        correction and the server accepted it."""

@final
class Callback:
    """A message of the server that a file is ready."""

    @property
    def response_id(self) -> str:
        """Response ID of the job."""

    @property
    def file_name(self) -> str:
        """Name of the file to download."""

    @property
    def account_id(self) -> str | None:
        """ID of the tenant space; `None` if the request had none."""

@final
class Reception:
    """Result of checking a request to the callback URL. Send `status` and `body` in any case."""

    @property
    def outcome(self) -> Literal["accepted", "repeated", "busy", "refused"]:
        """`accepted`: a new callback, which was stored. `repeated`: the job was accepted before.
        `busy`: it was not stored, and the server is to call again. `refused`: not a valid callback."""

    @property
    def callback(self) -> Callback | None:
        """The callback, if it is accepted. Process it after the answer was sent."""

    @property
    def status(self) -> int:
        """Status of the answer."""

    @property
    def body(self) -> bytes:
        """Body of the answer, of the type `application/json`."""

    @property
    def reason(self) -> str | None:
        """Why the request is refused, for logs. Do not send it: it helps attackers."""

@final
class CallbackReceiver:
    """Checks requests to the callback URL without I/O, and remembers accepted jobs in memory, so that
    each is accepted once. It can be used by several threads."""

    def __new__(cls, access_key: str, secret_key: str, *, max_age: float = 900.0) -> CallbackReceiver:
        """Creates a receiver of callbacks that are signed with these keys. `max_age` is how many seconds
        old a signature may be, and how many seconds ahead of the clock.

        Raises `ValueError` if a key is malformed.
        """

    def receive(
        self,
        now: Now,
        *,
        method: str,
        path: str,
        headers: Pairs,
        body: bytes,
        store: Callable[[Callback], object],
        query: Query | None = None,
    ) -> Reception:
        """Checks a request, and calls `store` with a callback that is new.

        `path` and `query` are as received, before decoding; limit the body to 64 KiB while you receive
        it. `store` keeps the callback, for example in a queue or a database, and must not wait. If it
        returns a false value other than `None`, the server is asked to call again; if it raises, so
        does this method, and the next delivery is accepted.
        """

# ---- clients

@final
class Progress:
    """Progress of a download. Each attempt starts again at zero bytes."""

    @property
    def attempts(self) -> int:
        """Requests sent so far."""

    @property
    def received(self) -> int:
        """Bytes received in the latest attempt."""

    @property
    def declared(self) -> int | None:
        """Length of the file in bytes that the server declared."""

@final
class PullProgress:
    """Progress of a pull."""

    @property
    def windows(self) -> int:
        """Number of periods."""

    @property
    def settled(self) -> int:
        """Periods that are complete or have failed, those of earlier runs included."""

    @property
    def in_flight(self) -> int:
        """Periods that are requested and not complete."""

    @property
    def rows(self) -> int:
        """Records of all complete periods."""

    @property
    def received(self) -> int:
        """Bytes of files that this run has received."""

@final
class Window:
    """Report on one period of a pull: all of its local times from `begin` to `end`."""

    @property
    def begin(self) -> str:
        """First second, in local time of the call center."""

    @property
    def end(self) -> str:
        """Last second."""

    @property
    def outcome(self) -> Literal["stored", "no_data", "failed"]:
        """How it ended. A later pull tries a failed period again."""

    @property
    def reason(self) -> str | None:
        """Why it failed."""

    @property
    def rows(self) -> int:
        """Number of records."""

    @property
    def files(self) -> list[Path | str]:
        """The converted files, or else the ZIP. Objects of a bucket are texts, such as `s3://lake/…`."""

    @property
    def notes(self) -> list[str]:
        """Notes on skipped or guessed data."""

@final
class Summary:
    """Result of a pull."""

    @property
    def windows(self) -> list[Window]:
        """Every period that is complete or has failed, the earliest first."""

    @property
    def failed(self) -> list[Window]:
        """The periods that failed; each has its `reason`."""

    @property
    def rows(self) -> int:
        """Records of all periods."""

    @property
    def bytes(self) -> int:
        """Size of the files of all periods."""

    @property
    def bad_rows(self) -> int:
        """Rows that could not be read and were skipped."""

    @property
    def requested(self) -> int:
        """Number of files that this run asked the server for."""

    @property
    def resumed(self) -> int:
        """Periods that earlier runs completed."""

    @property
    def left_from(self) -> str | None:
        """First day of the range that is not over yet. A later pull gets it and the days after it."""

@final
class Client:
    """A blocking client of a CC-FS server. It can be used by several threads, which share connections.

    Proxies are those of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`. Calls
    run on a second thread, and progress functions on the caller's thread. Ctrl-C ends a call at once.
    """

    def __new__(
        cls,
        endpoint: str,
        access_key: str,
        secret_key: str,
        *,
        ca: str | os.PathLike[str] | bytes | None = None,
        pin_sha256: str | Sequence[str] | None = None,
        client_cert: str | os.PathLike[str] | bytes | None = None,
        client_key: str | os.PathLike[str] | bytes | None = None,
        query_line: QueryLine = "omit",
        max_retries: int = 3,
        connect_timeout: float = 15.0,
        idle_timeout: float = 60.0,
        total_timeout: float = 1800.0,
    ) -> Client:
        """Creates a client of the server at `endpoint`, such as `https://10.1.2.3:8443`. Sends nothing.

        The system's root certificates are trusted, and those in `ca`. With `pin_sha256`, exactly the
        certificates with these SHA-256 hashes are accepted instead. Certificates and keys are paths of
        PEM files, or bytes in PEM. Timeouts are in seconds.

        Raises `ValueError` if an argument is not valid, and `OSError` if a file cannot be read.
        """

    @staticmethod
    def from_env() -> Client:
        """Creates the client of the `ccfs` command's environment variables: `CCFS_ENDPOINT`,
        `CCFS_ACCESS_KEY`, `CCFS_SECRET_KEY`, `CCFS_QUERY_LINE`, `CCFS_CA`, `CCFS_PIN_SHA256`,
        `CCFS_CLIENT_CERT` and `CCFS_CLIENT_KEY`.

        Raises `ValueError` if a variable is missing or not valid.
        """

    def call(self, interface: str, /, **fields: str | int | bytes) -> dict[str, Any]:
        """Calls an interface that answers with JSON, such as `queryAgentSkillInfoData`, with its fields.

        Returns `resultCode`, `resultDesc` and `resultData` of the answer.

        Raises `Error`: a subclass if the call failed after all retries, or one with the code
        `invalid_request` if a field is not valid.
        """

    def download(
        self,
        name: str,
        target: str | os.PathLike[str],
        *,
        kind: Kind = "agentSkillInfo",
        overwrite: bool = False,
        progress: Callable[[Progress], object] | None = None,
    ) -> dict[str, Any]:
        """Downloads the index file with this name to a file, which is written atomically.

        Calls `progress` before every step. If it returns `False`, the download ends with an `Error` with
        the code `stopped`; if it raises, the download ends with that exception. No file is left.

        Returns `kind` and `bytes` of the file.

        Raises `Error` as `call`, and with the code `file_exists` or `file`.
        """

    def fetch(
        self,
        interface: str,
        target: str | os.PathLike[str],
        fields: Mapping[str, str | int | bytes] | None = None,
        *,
        overwrite: bool = False,
        progress: Callable[[Progress], object] | None = None,
    ) -> dict[str, Any]:
        """Calls any interface that answers with a file, such as `downloadRecord`, as `download` does."""

    def pull(
        self,
        *,
        from_: str | date,
        to: str | date,
        tz: str,
        out: str | os.PathLike[str],
        kind: Kind = "agentSkillInfo",
        convert: Literal["jsonl", "csv", "parquet"] | None = None,
        account_id: str | None = None,
        keep_zip: bool = True,
        moved: bool = False,
        recheck_days: int = 0,
        again: tuple[str | date, str | date] | None = None,
        window_days: int | None = None,
        in_flight: int = 4,
        on_bad_row: OnBadRow = "stop",
        state: str | os.PathLike[str] | None = None,
        progress: Callable[[PullProgress], object] | None = None,
        executor: Executor | None = None,
        worker_client: Callable[[], Client] | None = None,
    ) -> Summary:
        """Downloads the files of the days from `from_` to `to`, inclusive, into the folder `out`.

        `tz` is the IANA name of the call center's time zone. Requests only days that are over, and
        continues where an earlier pull into the folder ended. `convert` also writes the records of
        each period in this format; `keep_zip=False` then removes its ZIP. With `on_bad_row="stop"`, a
        period with a bad row cannot be converted and fails; `skip` skips such rows and keeps the ZIP.

        A request covers `window_days` days, 1 to 31 and at most as many as the server allows; default:
        1 with `convert="parquet"`, otherwise 3. At most `in_flight` periods, 1 to 64, are requested and
        not complete. `account_id` requests only the data of this tenant space. `moved` allows a folder
        whose data came from another endpoint or access key.

        `recheck_days` requests complete periods again that ended less than this many days before their
        last download, because data may be added late. `again` requests the periods of the days from the
        first to the second again, inclusive.

        If `out` is the text `s3://BUCKET/PREFIX`, the files are stored in this bucket, and `state` is the
        folder for the journal, and for each file until it is in the bucket. Credentials and endpoint
        are those of AWS tools: the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
        `AWS_ENDPOINT_URL` and others, or a profile.

        Calls `progress` at every step and about ten times a second. If it returns `False`, the pull
        ends with an `Error` with the code `stopped`; if it raises, the pull ends with that exception.
        The next pull continues from there.

        With `executor`, its workers download, check, convert and store the files, while this process
        makes the requests and writes the journal. The workers may be on other machines that have the
        folder at the same path. Set `in_flight` to at least the number of workers. A worker's client is
        `Client.from_env()`, or what `worker_client` returns; it must have the endpoint and the access key
        of this client. Tasks contain no secret key. `worker_client` is sent to the workers with each
        task, so it must be picklable. It should read the keys on the worker's machine. It is called once
        in each process if it is a function of a module.

        A failure of a download is the same with and without an executor. If the executor fails, for
        example because a process of a pool was killed, the pull ends with an `Error` with the code
        `executor`, whose `__cause__` is the executor's exception; the next pull continues from there.

        A period that failed is not an error; see `Summary.failed`. Raises `Error` if the pull ends
        early, and `ValueError` if an argument is not valid.
        """

def run_task(task: str, client: Client) -> str:
    """Runs a task of a pull with an executor, and returns its report. Only workers call it.

    Raises `ValueError` if the task was made by another version of the package.
    """
