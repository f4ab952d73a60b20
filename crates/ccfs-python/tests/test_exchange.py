"""`Exchange` without any network: steps, retries, misuse."""

from __future__ import annotations

import enum
import io
import json
import zipfile
from datetime import datetime, timedelta, timezone
from typing import Any

import ccfs
import pytest

NAME = "20230406_9239cb50a8384bb0ab503441bf089446.zip"
KEYS: dict[str, Any] = {
    "endpoint": "https://10.1.2.3:8443",
    "access_key": "my-app-id",
    "secret_key": "marker-secret-key",
}
START = datetime(2023, 4, 6, 8, tzinfo=timezone.utc)


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @property
    def now(self) -> ccfs.Now:
        return ccfs.Now(START + timedelta(seconds=self.seconds), self.seconds)


def download(**options: Any) -> ccfs.Exchange:
    fields = {"agentSkillInfoFileName": NAME}
    return ccfs.Exchange("downloadAgentSkillInfoFile", fields, **(KEYS | options))


def zip_bytes() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip:
        zip.writestr("x.csv", "a,b\n")
    return file.getvalue()


def test_a_download_takes_its_steps() -> None:
    clock, exchange, content = Clock(), download(), zip_bytes()
    send = exchange.poll(clock.now)
    assert isinstance(send, ccfs.Send)
    assert (send.method, send.host, send.port, send.tls) == ("POST", "10.1.2.3", 8443, True)
    assert send.url == "https://10.1.2.3:8443" + send.target
    headers = dict(send.headers)
    assert headers["host"] == "10.1.2.3:8443"
    assert int(headers["content-length"]) == len(send.body)
    time = ccfs.verify(
        headers["authorization"],
        KEYS["access_key"],
        KEYS["secret_key"],
        method=send.method,
        path=send.target,
        headers=send.headers,
        body=send.body,
        now=START,
    )
    assert time == START
    assert (send.idle_timeout, send.remaining) == (60.0, 1800.0)
    exchange.on_head(clock.now, 200, [("content-length", str(len(content)))])
    receive = exchange.poll(clock.now)
    assert isinstance(receive, ccfs.Receive)
    exchange.on_body(clock.now, content)
    assert (exchange.received, exchange.declared) == (len(content), len(content))
    written = b""
    while isinstance(step := exchange.poll(clock.now), ccfs.Write):
        written += step.data
    assert written == content
    assert isinstance(step, ccfs.Receive)
    exchange.on_end(clock.now)
    done = exchange.poll(clock.now)
    assert isinstance(done, ccfs.Done)
    assert done.answer == done.result() == {"kind": "zip", "bytes": len(content)}
    assert done.error is None


def test_a_broken_download_is_retried_after_a_rewind() -> None:
    clock, exchange, content = Clock(), download(rewinds=True), zip_bytes()
    exchange.poll(clock.now)
    exchange.on_head(clock.now, 200, {})
    exchange.poll(clock.now)
    exchange.on_body(clock.now, content[:50])
    assert isinstance(exchange.poll(clock.now), ccfs.Write)
    exchange.poll(clock.now)
    exchange.on_failure(clock.now, "body_broken")
    assert isinstance(exchange.poll(clock.now), ccfs.Rewind)
    wait = exchange.poll(clock.now)
    assert isinstance(wait, ccfs.Wait)
    assert wait.seconds == pytest.approx(0.5)
    clock.seconds += wait.seconds
    assert isinstance(exchange.poll(clock.now), ccfs.Send)
    assert exchange.attempts == 2


def test_jitter_shortens_waits() -> None:
    clock, exchange = Clock(), download(jitter=lambda: 0)
    exchange.poll(clock.now)
    exchange.on_failure(clock.now, "connect")
    wait = exchange.poll(clock.now)
    assert isinstance(wait, ccfs.Wait)
    assert wait.seconds < 0.4


def test_result_codes_and_refusals_are_errors() -> None:
    answers = [
        (200, b'{"resultCode":"0300011"}', ccfs.ServerError, "result_code", "0300011", None, False),
        (401, b"", ccfs.AuthError, "unauthorized", None, 401, False),
        (502, b"", ccfs.ServerError, None, None, 502, True),
    ]
    for status, body, error_class, code, result_code, error_status, retryable in answers:
        clock, exchange = Clock(), download(max_retries=0)
        exchange.poll(clock.now)
        exchange.on_head(clock.now, status, {})
        exchange.poll(clock.now)
        if body:
            exchange.on_body(clock.now, body)
            exchange.poll(clock.now)
        exchange.on_end(clock.now)
        done = exchange.poll(clock.now)
        assert isinstance(done, ccfs.Done)
        error = done.error
        assert type(error) is error_class, error
        assert (error.result_code, error.status, error.retryable) == (
            result_code,
            error_status,
            retryable,
        )
        assert code is None or error.code == code
        with pytest.raises(error_class):
            done.result()


def test_a_call_has_an_answer() -> None:
    fields = {
        "beginTime": "2023-04-05 00:00:00",
        "endTime": "2023-04-06 00:00:00",
        "callBackURL": "http://127.0.0.1:9/callback",
    }
    clock, exchange = Clock(), ccfs.Exchange("queryAgentSkillInfoData", fields, **KEYS)
    exchange.poll(clock.now)
    exchange.on_head(clock.now, 200, [(b"content-type", b"application/json")])
    exchange.poll(clock.now)
    job = '{"responseId":"9239cb50a8384bb0ab503441bf089446"}'
    body = f'{{"resultCode":"0","resultDesc":"success","resultData":{job}}}'
    exchange.on_body(clock.now, body.encode())
    exchange.poll(clock.now)
    exchange.on_end(clock.now)
    done = exchange.poll(clock.now)
    assert isinstance(done, ccfs.Done)
    assert done.result() == {
        "resultCode": "0",
        "resultDesc": "success",
        "resultData": {"responseId": "9239cb50a8384bb0ab503441bf089446"},
    }


def test_a_wrong_clock_is_corrected() -> None:
    clock, exchange = Clock(), download()
    exchange.poll(clock.now)
    date = "Thu, 06 Apr 2023 10:00:00 GMT"
    exchange.on_head(clock.now, 401, {"date": date})
    exchange.poll(clock.now)
    exchange.on_end(clock.now)
    send = exchange.poll(clock.now)
    assert isinstance(send, ccfs.Send)
    assert "/2023-04-06T10:00:0" in dict(send.headers)["authorization"]
    assert exchange.clock_skew_ms is not None
    assert abs(exchange.clock_skew_ms - 7_200_000) < 2000
    assert exchange.confirmed_correction_ms is None
    exchange.on_head(clock.now, 200, {"date": date})
    assert exchange.confirmed_correction_ms is not None


def test_calls_out_of_turn_change_nothing() -> None:
    clock, exchange = Clock(), download()
    with pytest.raises(RuntimeError, match="on_body was called out of turn"):
        exchange.on_body(clock.now, b"")
    exchange.poll(clock.now)
    with pytest.raises(RuntimeError, match="poll was called out of turn"):
        exchange.poll(clock.now)
    with pytest.raises(ValueError, match="not a kind of failure"):
        exchange.on_failure(clock.now, "tired")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not an HTTP status"):
        exchange.on_head(clock.now, 42, {})
    exchange.on_failure(clock.now, "connect")
    assert isinstance(exchange.poll(clock.now), ccfs.Wait)


def test_invalid_requests_are_errors() -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("doSomething", {}, "unknown interface"),
        ("downloadAgentSkillInfoFile", {}, "requires agentSkillInfoFileName"),
        ("downloadAgentSkillInfoFile", {"name": "x"}, "has no field `name`"),
        ("downloadAgentSkillInfoFile", {"agentSkillInfoFileName": "../x"}, "agentSkillInfoFileName"),
    ]
    for interface, fields, message in cases:
        with pytest.raises(ccfs.Error, match=message) as caught:
            ccfs.Exchange(interface, fields, **KEYS)
        assert caught.value.code == "invalid_request"
    with pytest.raises(ValueError, match="scheme"):
        download(endpoint="10.1.2.3")
    with pytest.raises(ValueError, match="idle_timeout is -1"):
        download(idle_timeout=-1)
    with pytest.raises(TypeError, match="must be str or int"):
        ccfs.Exchange("downloadAgentSkillInfoFile", {"agentSkillInfoFileName": 1.5}, **KEYS)  # type: ignore[dict-item]


class Account(int, enum.Enum):
    SALES = 7


class Begin(str, enum.Enum):
    DAY = "2023-04-05 00:00:00"


def test_members_of_enumerations_are_their_values() -> None:
    fields: dict[str, str | int] = {
        "beginTime": Begin.DAY,
        "endTime": "2023-04-06 00:00:00",
        "callBackURL": "http://127.0.0.1:9/callback",
        "accountId": Account.SALES,
    }
    send = ccfs.Exchange("queryAgentSkillInfoData", fields, **KEYS).poll(Clock().now)
    assert isinstance(send, ccfs.Send)
    message = json.loads(send.body)["msgBody"]
    assert (message["beginTime"], message["accountId"]) == ("2023-04-05 00:00:00", "7")


def test_the_total_timeout_is_enforced() -> None:
    clock, exchange = Clock(), download(total_timeout=10)
    exchange.poll(clock.now)
    clock.seconds = 11
    exchange.on_failure(clock.now, "idle_timeout")
    done = exchange.poll(clock.now)
    assert isinstance(done, ccfs.Done)
    assert isinstance(done.error, ccfs.NetworkError)
    assert done.error.retryable
