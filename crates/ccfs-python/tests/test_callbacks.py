"""The receiver of callbacks, without a network and as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import asgi_receiver
import ccfs
import pytest
import uvicorn
import with_http_client

from conftest import Serve

ID = "9239cb50a8384bb0ab503441bf089446"
NOW = ccfs.Now(datetime(2023, 4, 6, 8, tzinfo=timezone.utc), 0)


def request(secret_key: str = "sk", age: float = 0, **message: str) -> dict[str, Any]:
    """Returns a signed callback, as arguments of `receive`."""
    message = {"responseId": ID, "fileName": f"20230406_{ID}.zip"} | message
    body = json.dumps({"request": {"version": "2.0"}, "msgBody": message}).encode()
    parts: dict[str, Any] = {"method": "POST", "path": "/callback", "body": body}
    headers = {"host": "10.9.8.7:9443", "content-length": str(len(body))}
    at = NOW.wall - timedelta(seconds=age)
    headers["authorization"] = ccfs.sign("ak", secret_key, headers=headers, at=at, **parts)
    return parts | {"headers": headers}


def test_a_callback_is_accepted_once() -> None:
    receiver = ccfs.CallbackReceiver("ak", "sk")
    stored: list[ccfs.Callback] = []
    first = receiver.receive(NOW, store=stored.append, **request(accountId="a1"))
    assert (first.outcome, first.status, first.reason) == ("accepted", 200, None)
    assert first.callback is not None
    assert json.loads(first.body)["resultCode"] == "0"
    [callback] = stored
    assert callback.response_id == first.callback.response_id == ID
    assert (callback.file_name, callback.account_id) == (f"20230406_{ID}.zip", "a1")
    again = receiver.receive(NOW, store=stored.append, **request(age=5))
    assert (again.outcome, again.status, again.callback) == ("repeated", 200, None)
    assert len(stored) == 1


def test_a_callback_that_is_not_stored_comes_again() -> None:
    receiver = ccfs.CallbackReceiver("ak", "sk")
    busy = receiver.receive(NOW, store=lambda _: False, **request())
    assert (busy.outcome, busy.status) == ("busy", 503)

    def fails(_: ccfs.Callback) -> None:
        raise KeyError("database")

    with pytest.raises(KeyError, match="database"):
        receiver.receive(NOW, store=fails, **request())
    assert receiver.receive(NOW, store=lambda _: None, **request()).outcome == "accepted"


def test_other_requests_are_refused() -> None:
    receiver = ccfs.CallbackReceiver("ak", "sk", max_age=60)
    cases = [
        (request(secret_key="other"), 401, "signature does not match"),
        (request(age=61), 401, "behind the verifier's clock"),
        (request() | {"method": "GET"}, 405, "not a POST"),
        (request() | {"headers": {"host": "10.9.8.7"}}, 401, "not signed"),
        (request(fileName="/etc/passwd"), 400, "malformed"),
    ]
    for arguments, status, reason in cases:
        reception = receiver.receive(NOW, store=lambda _: pytest.fail("stored"), **arguments)
        assert (reception.outcome, reception.status) == ("refused", status)
        assert reason in str(reception.reason)
        assert reason.encode() not in reception.body


def test_the_asgi_example_receives_a_callback(serve: Serve) -> None:
    server = serve("--rows", "300", "--fault", "callback-duplicate@queryAgentSkillInfoData*1")

    async def receive() -> tuple[ccfs.Callback, int]:
        app = asgi_receiver.CallbackApp(server.access_key, server.secret_key)
        config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
        web = uvicorn.Server(config)
        serving = asyncio.create_task(web.serve())
        while not web.started:
            await asyncio.sleep(0.01)
        port = web.servers[0].sockets[0].getsockname()[1]
        fields = {
            "beginTime": "2023-04-05 00:00:00",
            "endTime": "2023-04-06 00:00:00",
            "callBackURL": f"http://127.0.0.1:{port}/callback?tenant=1%202",
        }
        exchange = ccfs.Exchange("queryAgentSkillInfoData", fields, **server.settings)
        thread = threading.Thread(target=with_http_client.drive, args=(exchange, None))
        thread.start()
        callback = await asyncio.wait_for(app.queue.get(), 60)
        # The server calls a second time.
        await asyncio.sleep(1)
        web.should_exit = True
        await serving
        thread.join()
        return callback, app.queue.qsize()

    callback, left = asyncio.run(receive())
    assert callback.file_name.endswith(f"{callback.response_id}.zip")
    assert left == 0
