"""Signatures: the vectors of the protocol core, through Python."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import ccfs
import pytest

from conftest import ROOT

VECTORS = [
    json.loads(line)
    for line in (ROOT / "crates/ccfs-proto/tests/vectors/auth-v2.jsonl").read_text().splitlines()
]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def at(vector: dict[str, Any]) -> datetime:
    return EPOCH + timedelta(milliseconds=vector["unix_ms"])


def request(vector: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments that describe a request."""
    return {
        "method": vector["method"],
        "path": vector["path"],
        "query": [tuple(pair) for pair in vector["query"]],
        "headers": [tuple(pair) for pair in vector["signed_headers"]],
        "body": vector["body"].encode(),
    }


DIALECTS: list[tuple[Literal["omit", "empty"], str]] = [
    ("omit", "authorization"),
    ("empty", "authorization_blank_query_line"),
]


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 50


@pytest.mark.parametrize(("dialect", "field"), DIALECTS)
def test_vectors_are_signed(dialect: Literal["omit", "empty"], field: str) -> None:
    for vector in VECTORS:
        has_millis = "." in vector["timestamp"]
        value = ccfs.sign(
            vector["access_key"],
            vector["secret_key"],
            at=at(vector),
            query_line=dialect,
            precision="milliseconds" if has_millis else "seconds",
            **request(vector),
        )
        assert value == vector[field]


@pytest.mark.parametrize(("dialect", "field"), DIALECTS)
def test_vectors_are_verified(dialect: Literal["omit", "empty"], field: str) -> None:
    for vector in VECTORS:
        keys = vector["access_key"], vector["secret_key"]
        time = ccfs.verify(vector[field], *keys, now=at(vector), **request(vector))
        assert abs(time - at(vector)) < timedelta(seconds=1)
        ccfs.verify(vector[field], *keys, now=at(vector), query_line=dialect, **request(vector))
        forged = request(vector) | {"body": b"forged"}
        with pytest.raises(ccfs.SignatureError, match="does not match") as caught:
            ccfs.verify(vector[field], *keys, now=at(vector), **forged)
        assert caught.value.code == "authentication"


def test_the_age_is_limited() -> None:
    vector = VECTORS[0]
    keys = vector["access_key"], vector["secret_key"]
    late = at(vector) + timedelta(minutes=16)
    with pytest.raises(ccfs.SignatureError, match="behind the verifier's clock"):
        ccfs.verify(vector["authorization"], *keys, now=late, **request(vector))
    ccfs.verify(vector["authorization"], *keys, now=late, max_age=1000, **request(vector))
    ccfs.verify(vector["authorization"], *keys, now=late, max_age=None, **request(vector))


def test_times_need_a_zone() -> None:
    vector = VECTORS[0]
    shanghai = at(vector).astimezone(timezone(timedelta(hours=8)))
    keys = vector["access_key"], vector["secret_key"]
    assert ccfs.sign(*keys, at=shanghai, **request(vector)) == vector["authorization"]
    with pytest.raises(ValueError, match="no time zone"):
        ccfs.sign(*keys, at=datetime(2023, 4, 6), **request(vector))


def test_headers_and_queries_have_several_forms() -> None:
    common: dict[str, Any] = {"method": "GET", "path": "/p", "at": EPOCH}
    pairs: list[tuple[str, str]] = [("host", "h"), ("x-a", "1 2")]
    forms: list[Any] = [pairs, dict(pairs), [(n.encode(), v.encode()) for n, v in pairs], iter(pairs)]
    assert len({ccfs.sign("ak", "sk", headers=headers, **common) for headers in forms}) == 1
    queries: list[Any] = ["a=%20b&c=", b"a=%20b&c=", [("a", " b"), ("c", "")], {"c": "", "a": " b"}]
    common["headers"] = pairs
    assert len({ccfs.sign("ak", "sk", query=query, **common) for query in queries}) == 1


def test_malformed_arguments_are_value_errors() -> None:
    common: dict[str, Any] = {"method": "GET", "path": "/p", "at": EPOCH, "headers": {"host": "h"}}
    with pytest.raises(ValueError, match="access key is empty"):
        ccfs.sign("", "sk", **common)
    with pytest.raises(ValueError, match="line break"):
        ccfs.sign("ak", "sk\n", **common)
    with pytest.raises(ValueError, match="`host` is not signed"):
        ccfs.sign("ak", "sk", **(common | {"headers": {}}))
    with pytest.raises(TypeError):
        ccfs.sign("ak", "sk", **(common | {"headers": {"host": 1}}))
    with pytest.raises(ccfs.SignatureError):
        ccfs.verify("nothing", "ak", "sk", now=EPOCH, **{k: v for k, v in common.items() if k != "at"})
