"""Drives `ccfs.Exchange` with asyncio's own streams: a minimal HTTP/1.1 client, one request a connection.

Run it like `with_http_client.py`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from datetime import datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import ccfs

CALL_CENTER = timezone(timedelta(hours=8))
"""The time zone of the server, whose day is in names of files."""


class InvalidHttp(Exception):
    """The response is not valid HTTP."""


class Response:
    """A response, whose body ends at its declared length or where the connection ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.left: int | None = None

    async def read_head(self) -> None:
        """Reads the status and the headers."""
        line = await self.line()
        parts = line.split(" ")
        if len(parts) < 2 or not parts[1].isdigit():
            raise InvalidHttp
        self.status = int(parts[1])
        while line := await self.line():
            name, colon, value = line.partition(":")
            if not colon:
                raise InvalidHttp
            self.headers.append((name.lower(), value.strip()))
        fields = dict(self.headers)
        # One way of framing is enough for an example; a client library knows the others.
        if "transfer-encoding" in fields:
            raise InvalidHttp
        if "content-length" in fields:
            self.left = int(fields["content-length"])

    async def line(self) -> str:
        """Reads a line of the head, without its end."""
        try:
            line = await self.reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            raise InvalidHttp from error
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError from error
        return line.decode("latin-1").rstrip("\r\n")

    async def read(self) -> bytes:
        """Reads a piece of the body; empty at its end."""
        size = 64 * 1024 if self.left is None else min(self.left, 64 * 1024)
        piece = await self.reader.read(size)
        if self.left is not None:
            self.left -= len(piece)
        return piece


async def drive(
    exchange: ccfs.Exchange, file: BytesIO, tls: ssl.SSLContext | None = None
) -> dict[str, Any]:
    """Does what the exchange says, and returns its answer."""
    response: Response | None = None
    try:
        while True:
            step = exchange.poll(ccfs.Now.system())
            if isinstance(step, ccfs.Send):
                if response is not None:
                    response.writer.close()
                response = await send(exchange, step, tls)
            elif isinstance(step, ccfs.Receive):
                assert response is not None
                await receive(exchange, response, step)
            elif isinstance(step, ccfs.Write):
                file.write(step.data)
            elif isinstance(step, ccfs.Rewind):
                file.seek(0)
                file.truncate()
            elif isinstance(step, ccfs.Wait):
                await asyncio.sleep(step.seconds)
            else:
                return step.result()
    finally:
        if response is not None:
            response.writer.close()


async def send(
    exchange: ccfs.Exchange, step: ccfs.Send, tls: ssl.SSLContext | None
) -> Response | None:
    """Sends the request unchanged, and reports the head of the response."""
    context = (tls or ssl.create_default_context()) if step.tls else None
    opening = asyncio.open_connection(step.host, step.port, ssl=context)
    try:
        response = Response(*await asyncio.wait_for(opening, step.idle_timeout))
    except socket.gaierror:
        exchange.on_failure(ccfs.Now.system(), "resolve")
        return None
    except ssl.SSLError:
        exchange.on_failure(ccfs.Now.system(), "tls")
        return None
    except (OSError, asyncio.TimeoutError):
        exchange.on_failure(ccfs.Now.system(), "connect")
        return None
    head = [f"{step.method} {step.target} HTTP/1.1", "connection: close"]
    head += [f"{name}: {value}" for name, value in step.headers]
    try:
        response.writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + step.body)
        await asyncio.wait_for(response.writer.drain(), step.idle_timeout)
        await asyncio.wait_for(response.read_head(), step.idle_timeout)
        # An interim response precedes the final one.
        while 100 <= response.status < 200:
            response.headers.clear()
            await asyncio.wait_for(response.read_head(), step.idle_timeout)
    except (TimeoutError, asyncio.TimeoutError):
        exchange.on_failure(ccfs.Now.system(), "idle_timeout")
    except OSError:
        exchange.on_failure(ccfs.Now.system(), "broken")
    except InvalidHttp:
        exchange.on_failure(ccfs.Now.system(), "invalid_http")
    else:
        exchange.on_head(ccfs.Now.system(), response.status, response.headers)
    return response


async def receive(exchange: ccfs.Exchange, response: Response, step: ccfs.Receive) -> None:
    """Reads a piece of the body and reports it."""
    try:
        piece = await asyncio.wait_for(response.read(), step.idle_timeout)
    except (TimeoutError, asyncio.TimeoutError):
        exchange.on_failure(ccfs.Now.system(), "idle_timeout")
    except OSError:
        exchange.on_failure(ccfs.Now.system(), "body_broken")
    else:
        if piece:
            exchange.on_body(ccfs.Now.system(), piece)
        else:
            exchange.on_end(ccfs.Now.system())


async def main() -> None:
    """Starts three jobs side by side, and downloads their files."""
    settings: dict[str, Any] = {
        "endpoint": os.environ["CCFS_ENDPOINT"],
        "access_key": os.environ["CCFS_ACCESS_KEY"],
        "secret_key": os.environ["CCFS_SECRET_KEY"],
    }
    ca = os.environ.get("CCFS_CA")
    tls = ssl.create_default_context(cafile=ca) if ca else None

    async def query(day: int) -> str:
        fields = {
            "beginTime": f"2023-04-{day:02} 00:00:00",
            "endTime": f"2023-04-{day + 1:02} 00:00:00",
            "callBackURL": "http://127.0.0.1:9/callback",
        }
        exchange = ccfs.Exchange("queryAgentSkillInfoData", fields, **settings)
        answer = await drive(exchange, BytesIO(), tls)
        response_id: str = answer["resultData"]["responseId"]
        return response_id

    async def download(response_id: str) -> int:
        day = datetime.now(CALL_CENTER).strftime("%Y%m%d")
        name = f"{day}_{response_id.replace('-', '')}.zip"
        exchange = ccfs.Exchange(
            "downloadAgentSkillInfoFile",
            {"agentSkillInfoFileName": name},
            rewinds=True,
            **settings,
        )
        file = BytesIO()
        await drive(exchange, file, tls)
        return sum(1 for _ in ccfs.open(file).records("agentSkillInfo"))

    jobs = await asyncio.gather(*(query(day) for day in (3, 4, 5)))
    rows = await asyncio.gather(*(download(job) for job in jobs))
    print(f"{len(jobs)} jobs, {sum(rows)} records")


if __name__ == "__main__":
    asyncio.run(main())
