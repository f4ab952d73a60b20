"""Drives `ccfs.Exchange` with httpx.

Run it like `with_http_client.py`.
"""

from __future__ import annotations

import os
import ssl
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO

import ccfs
import httpx

CALL_CENTER = timezone(timedelta(hours=8))
"""The time zone of the server, whose day is in names of files."""


def drive(exchange: ccfs.Exchange, file: BinaryIO, client: httpx.Client) -> dict[str, Any]:
    """Does what the exchange says, and returns its answer."""
    response: httpx.Response | None = None
    pieces: Iterator[bytes] = iter(())
    try:
        while True:
            step = exchange.poll(ccfs.Now.system())
            if isinstance(step, ccfs.Send):
                if response is not None:
                    response.close()
                response = send(exchange, client, step)
                # Without decompressing, and without collecting pieces.
                pieces = response.iter_raw() if response is not None else iter(())
            elif isinstance(step, ccfs.Receive):
                receive(exchange, pieces)
            elif isinstance(step, ccfs.Write):
                file.write(step.data)
            elif isinstance(step, ccfs.Rewind):
                file.seek(0)
                file.truncate()
            elif isinstance(step, ccfs.Wait):
                time.sleep(step.seconds)
            else:
                return step.result()
    finally:
        if response is not None:
            response.close()


def send(
    exchange: ccfs.Exchange, client: httpx.Client, step: ccfs.Send
) -> httpx.Response | None:
    """Sends the request unchanged, and reports the head of the response."""
    # Not with `build_request`, which would add headers.
    request = httpx.Request(step.method, step.url, headers=step.headers, content=step.body)
    request.extensions["timeout"] = httpx.Timeout(step.idle_timeout).as_dict()
    try:
        response = client.send(request, stream=True, follow_redirects=False)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        is_tls = "certificate" in str(error).lower() or "ssl" in str(error).lower()
        exchange.on_failure(ccfs.Now.system(), "tls" if is_tls else "connect")
    except httpx.TimeoutException:
        exchange.on_failure(ccfs.Now.system(), "idle_timeout")
    except httpx.RemoteProtocolError as error:
        # A server that closes the connection without an answer.
        is_broken = "disconnected" in str(error)
        exchange.on_failure(ccfs.Now.system(), "broken" if is_broken else "invalid_http")
    except httpx.TransportError:
        exchange.on_failure(ccfs.Now.system(), "broken")
    else:
        exchange.on_head(ccfs.Now.system(), response.status_code, response.headers.multi_items())
        return response
    return None


def receive(exchange: ccfs.Exchange, pieces: Iterator[bytes]) -> None:
    """Reads a piece of the body and reports it."""
    try:
        piece = next(pieces, b"")
    except httpx.TimeoutException:
        exchange.on_failure(ccfs.Now.system(), "idle_timeout")
    except httpx.TransportError:
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
    fields = {
        "beginTime": "2023-04-05 00:00:00",
        "endTime": "2023-04-06 00:00:00",
        "callBackURL": "http://127.0.0.1:9/callback",
    }
    tls = ssl.create_default_context(cafile=os.environ.get("CCFS_CA"))
    with httpx.Client(verify=tls) as client:
        query = ccfs.Exchange("queryAgentSkillInfoData", fields, **settings)
        job = drive(query, sys.stdout.buffer, client)["resultData"]
        print(f"job {job['responseId']}")

        day = datetime.now(CALL_CENTER).strftime("%Y%m%d")
        name = f"{day}_{job['responseId'].replace('-', '')}.zip"
        download = ccfs.Exchange(
            "downloadAgentSkillInfoFile",
            {"agentSkillInfoFileName": name},
            rewinds=True,
            **settings,
        )
        with open("skills.zip", "wb") as file:
            receipt = drive(download, file, client)
        print(f"skills.zip: {receipt['bytes']} bytes after {download.attempts} requests")


if __name__ == "__main__":
    main()
