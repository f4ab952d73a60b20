"""Exceptions of the package. `ccfs` exports them."""

from __future__ import annotations


class Error(Exception):
    """A call, an archive or a signature failed. The subclass identifies which.

    Invalid arguments raise `ValueError`, and files that cannot be read raise `OSError`.
    """

    code: str
    """Stable word for the failure, the same as in the errors of the command's `--json`."""
    result_code: str | None
    """The server's result code, if it is the cause, such as `"0300008"`."""
    status: int | None
    """The HTTP status, if it is the cause."""
    retryable: bool
    """Whether the same call may succeed later without a change."""

    def __init__(
        self,
        message: str,
        code: str = "error",
        result_code: str | None = None,
        status: int | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.result_code = result_code
        self.status = status
        self.retryable = retryable


class AuthError(Error):
    """The server refused the authentication: HTTP 401 or 403."""


class ServerError(Error):
    """The server refused the request, or its answer is not usable."""


class NetworkError(Error):
    """The server gave no answer or only a part of one, or a proxy answered instead."""


class DataError(Error):
    """An archive or a row of it is damaged, exceeds a limit or is not an index file."""

    member: str | None
    """Name of the member."""
    line: int | None
    """Line on which the row begins, from 1."""
    column: int | None
    """Field in the row, from 1."""
    column_name: str | None
    """Name of the column."""

    def __init__(
        self,
        message: str,
        code: str = "data",
        result_code: str | None = None,
        status: int | None = None,
        retryable: bool = False,
        member: str | None = None,
        line: int | None = None,
        column: int | None = None,
        column_name: str | None = None,
    ) -> None:
        super().__init__(message, code, result_code, status, retryable)
        self.member = member
        self.line = line
        self.column = column
        self.column_name = column_name


class SignatureError(Error):
    """A signature is not valid, or its time is too far from the verifier's."""


for _class in (Error, AuthError, ServerError, NetworkError, DataError, SignatureError):
    _class.__module__ = "ccfs"
del _class
