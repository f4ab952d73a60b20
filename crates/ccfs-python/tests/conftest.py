"""Fixtures: the emulator, which is the command's `ccfs serve`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

# A shell starts background jobs with SIGINT ignored, which Python and its children would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parents[1]
sys.path.insert(0, str(PACKAGE / "examples"))


def command() -> str:
    """Returns the path of the `ccfs` command, which `cargo xtask python` builds."""
    return os.environ.get("CCFS_COMMAND", str(ROOT / "target/debug/ccfs"))


@dataclass
class Server:
    """A running emulator."""

    endpoint: str
    access_key: str
    secret_key: str
    ca: Path | None
    log: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of an exchange."""
        return {
            "endpoint": self.endpoint,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
        }

    def requests(self) -> list[dict[str, Any]]:
        """Returns the requests so far, as the emulator logged them."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Returns a function that starts an emulator with arguments of `ccfs serve`."""
    with ExitStack() as stack:

        def start(*arguments: str, tls: bool = False) -> Server:
            number = len(list(tmp_path.glob("requests*.jsonl")))
            log, ca = tmp_path / f"requests{number}.jsonl", tmp_path / f"ca{number}.pem"
            log.touch()
            transport = ["--ca-out", str(ca)] if tls else ["--plain"]
            line = [command(), "serve", "--json", *transport, "--log", str(log), *arguments]
            environment = {k: v for k, v in os.environ.items() if not k.startswith("CCFS_")}
            environment |= {"XDG_CONFIG_HOME": str(tmp_path)}
            process = subprocess.Popen(
                line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            keys = {f"CCFS_{name.upper()}": value for name, value in ready.items()}
            keys.pop("CCFS_PIN_SHA256", None)
            if tls:
                keys["CCFS_CA"] = str(ca)
            return Server(
                ready["endpoint"],
                ready["access_key"],
                ready["secret_key"],
                ca if tls else None,
                log,
                environment | keys,
            )

        yield start
