"""Tasks of `Client.pull(executor=...)`: what the workers import."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import lru_cache

from ccfs._native import Client, run_task

ClientFactory = Callable[[], Client]
"""Returns the client of a worker."""


def fetch(task: str, factory: ClientFactory | None) -> str:
    """Runs a task in a worker, and returns its report."""
    return run_task(task, _client(factory))


@lru_cache(maxsize=8)
def _client(factory: ClientFactory | None) -> Client:
    """Returns the client of this process: it keeps connections, and a correction of the clock."""
    return Client.from_env() if factory is None else factory()


def result_of(future: Future[str]) -> str | None:
    """Returns the report of a task that ends within a tenth of a second."""
    done, _ = wait([future], timeout=0.1)
    return future.result() if done else None
