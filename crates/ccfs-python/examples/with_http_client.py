"""Drives `ccfs.Exchange` with `http.client` of the standard library.

Run it against a server that the command's variables name (`ccfs serve --plain` prints them):
`CCFS_ENDPOINT=… CCFS_ACCESS_KEY=… CCFS_SECRET_KEY=… python with_http_client.py`
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import sys
import time
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO

import ccfs

CALL_CENTER = timezone(timedelta(hours=8))
"""The time zone of the server, whose day is in names of files."""


def drive(
    exchange: ccfs.Exchange, file: BinaryIO, tls: ssl.SSLContext | None = None
) -> dict[str, Any]:
    """Does what the exchange says, and returns its answer."""
    connection: http.client.HTTPConnection | None = None
    response: http.client.HTTPResponse | None = None
    while True:
        step = exchange.poll(ccfs.Now.system())
        if isinstance(step, ccfs.Send):
            if connection is not None:
                connection.close()
            connection = connect(step, tls)
            response = send(exchange, connection, step)
        elif isinstance(step, ccfs.Receive):
            receive(exchange, connection, response, step)
        elif isinstance(step, ccfs.Write):
            file.write(step.data)
        elif isinstance(step, ccfs.Rewind):
            file.seek(0)
            file.truncate()
        elif isinstance(step, ccfs.Wait):
            time.sleep(step.seconds)
        else:
            if connection is not None:
                connection.close()
            return step.result()


def connect(step: ccfs.Send, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """Returns a connection that is not opened yet."""
    if step.tls:
        return http.client.HTTPSConnection(
            step.host, step.port, timeout=step.idle_timeout, context=tls
        )
    return http.client.HTTPConnection(step.host, step.port, timeout=step.idle_timeout)


def send(
    exchange: ccfs.Exchange, connection: http.client.HTTPConnection, step: ccfs.Send
) -> http.client.HTTPResponse | None:
    """Sends the request unchanged, and reports the head of the response."""
    try:
        connection.connect()
    except socket.gaierror:
        exchange.on_failure(ccfs.Now.system(), "resolve")
        return None
    except ssl.SSLError:
        exchange.on_failure(ccfs.Now.system(), "tls")
        return None
    except OSError:
        exchange.on_failure(ccfs.Now.system(), "connect")
        return None
    try:
        connection.putrequest(
            step.method, step.target, skip_host=True, skip_accept_encoding=True
        )
        for name, value in step.headers:
            connection.putheader(name, value)
        connection.endheaders(step.body)
        response = connection.getresponse()
    except TimeoutError:
        exchange.on_failure(ccfs.Now.system(), "idle_timeout")
    except OSError:
        exchange.on_failure(ccfs.Now.system(), "broken")
    except http.client.HTTPException:
        exchange.on_failure(ccfs.Now.system(), "invalid_http")
    else:
        exchange.on_head(ccfs.Now.system(), response.status, response.getheaders())
        return response
    return None


def receive(
    exchange: ccfs.Exchange,
    connection: http.client.HTTPConnection | None,
    response: http.client.HTTPResponse | None,
    step: ccfs.Receive,
) -> None:
    """Reads a piece of the body and reports it."""
    assert connection is not None
    assert response is not None
    try:
        # A response that closes the connection has taken the socket.
        if connection.sock is not None:
            connection.sock.settimeout(step.idle_timeout)
        piece = response.read1(64 * 1024)
    except TimeoutError:
        exchange.on_failure(ccfs.Now.system(), "idle_timeout")
    except (OSError, http.client.HTTPException):
        exchange.on_failure(ccfs.Now.system(), "body_broken")
    else:
        if piece:
            exchange.on_body(ccfs.Now.system(), piece)
        else:
            exchange.on_end(ccfs.Now.system())


def main() -> None:
    """Starts a job, and downloads its file."""
    settings: dict[str, Any] = {
        "endpoint": os.environ["CCFS_ENDPOINT"],
        "access_key": os.environ["CCFS_ACCESS_KEY"],
        "secret_key": os.environ["CCFS_SECRET_KEY"],
    }
    ca = os.environ.get("CCFS_CA")
    tls = ssl.create_default_context(cafile=ca) if ca else None
    fields = {
        "beginTime": "2023-04-05 00:00:00",
        "endTime": "2023-04-06 00:00:00",
        # Nothing receives the callback here; the file is generated all the same.
        "callBackURL": "http://127.0.0.1:9/callback",
    }
    query = ccfs.Exchange("queryAgentSkillInfoData", fields, **settings)
    job = drive(query, sys.stdout.buffer, tls)["resultData"]
    print(f"job {job['responseId']}")

    # The callback has the name. Without it, it is the server's day and the ID of the job.
    day = datetime.now(CALL_CENTER).strftime("%Y%m%d")
    name = f"{day}_{job['responseId'].replace('-', '')}.zip"
    download = ccfs.Exchange(
        "downloadAgentSkillInfoFile",
        {"agentSkillInfoFileName": name},
        rewinds=True,
        **settings,
    )
    with open("skills.zip", "wb") as file:
        receipt = drive(download, file, tls)
    print(f"skills.zip: {receipt['bytes']} bytes after {download.attempts} requests")


if __name__ == "__main__":
    main()
