"""The code of README.md runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import PACKAGE, Serve
from support import archive, skill_row


def test_the_readme_runs(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve("--rows", "50")
    monkeypatch.chdir(tmp_path)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    Path("skills.zip").write_bytes(archive(skill_row(index) for index in range(1000)))
    text = (PACKAGE / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    exec(compile("\n".join(blocks), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "150 rows in 3 periods" in printed
    assert "1 more period" in printed
    assert re.search(r"<ccfs.Wait 0\.\d+ s>\n$", printed)
