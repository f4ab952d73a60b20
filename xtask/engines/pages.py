"""Reads the documents: the columns in docs/columns.md, the recipes in docs/analysis.md."""

import os
import re

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
TYPES = {"text": "text", "integer": "integer", "code": "integer", "list of text": "list", "local time": "local", "UTC": "utc"}


def read(page):
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        return file.read()


def columns(kind):
    """Returns the columns of a kind of file, each with its type."""
    section = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", read("columns.md"), re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| \d+ \| `(\w+)` \| ([\w ]+) \|", section[1], re.MULTILINE)
    return {name: TYPES[kind] for name, kind in rows}


def blocks(language):
    """Returns the code blocks of docs/analysis.md whose first line is a comment with this language, by heading."""
    found, heading, block = {}, None, None
    for line in read("analysis.md").splitlines():
        if line.startswith("```"):
            if block and block[0] in (f"-- {language}", f"# {language}"):
                found[heading] = "\n".join(block)
            block = [] if block is None else None
        elif block is not None:
            block.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found
