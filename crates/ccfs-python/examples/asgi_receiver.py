"""Receives callbacks as a bare ASGI application, for uvicorn, hypercorn and the like.

Run it with `CCFS_ACCESS_KEY=… CCFS_SECRET_KEY=… uvicorn asgi_receiver:app --port 9443`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import ccfs

BODY_LIMIT = 64 * 1024

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class CallbackApp:
    """An application that puts each new callback into a queue, once."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        self.receiver = ccfs.CallbackReceiver(access_key, secret_key)
        self.queue: asyncio.Queue[ccfs.Callback] = asyncio.Queue(maxsize=1000)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Handles a request; other scopes are not for this application."""
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        if body is None:
            await respond(send, 413, b'{"error":"Content Too Large"}')
            return
        reception = self.receiver.receive(
            ccfs.Now.system(),
            method=scope["method"],
            path=scope["raw_path"].decode("ascii"),
            query=scope["query_string"],
            headers=scope["headers"],
            body=body,
            store=self.store,
        )
        if reception.reason:
            print(f"refused: {reception.reason}", flush=True)
        await respond(send, reception.status, reception.body)

    def store(self, callback: ccfs.Callback) -> bool:
        """Keeps a callback; without room for it, the server calls again later."""
        if self.queue.full():
            return False
        self.queue.put_nowait(callback)
        print(f"received {callback.file_name}", flush=True)
        return True


async def read_body(receive: Receive) -> bytes | None:
    """Reads the body; `None` if it is too large."""
    body = b""
    while len(body) <= BODY_LIMIT:
        message = await receive()
        piece: bytes = message.get("body", b"")
        body += piece
        if not message.get("more_body", False):
            return body
    return None


async def respond(send: Send, status: int, body: bytes) -> None:
    """Sends a response."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def __getattr__(name: str) -> CallbackApp:
    """Creates `app` when a server imports it, with the keys of the environment."""
    if name != "app":
        raise AttributeError(name)
    return CallbackApp(os.environ["CCFS_ACCESS_KEY"], os.environ["CCFS_SECRET_KEY"])
