"""Everything in the stubs is documented."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import ccfs

FOLDER = Path(ccfs.__file__).parent
EXEMPT = {"__init__", "__repr__"}


def undocumented(source: str) -> list[str]:
    """Returns the names of classes, functions and public variables without a docstring."""
    found = []

    def visit(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for index, item in enumerate(node.body):
            if isinstance(item, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if ast.get_docstring(item) is None and item.name not in EXEMPT:
                    found.append(prefix + item.name)
                if isinstance(item, ast.ClassDef):
                    visit(item, f"{prefix}{item.name}.")
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                after = node.body[index + 1] if index + 1 < len(node.body) else None
                is_doc = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                if not is_doc and not item.target.id.startswith("__match"):
                    found.append(prefix + item.target.id)

    visit(ast.parse(source), "")
    return found


def test_the_stubs_are_documented() -> None:
    for name in ("_native.pyi", "_errors.py", "_tasks.py", "spark.py", "types.py"):
        assert undocumented((FOLDER / name).read_text()) == []


def test_undocumented_names_are_found() -> None:
    source = 'x: int\nclass A:\n    y: int\n    """Doc."""\n    def f(self) -> None: ...\n'
    assert undocumented(source) == ["x", "A", "A.f"]


def test_the_package_needs_no_other() -> None:
    program = "import sys, ccfs; sys.exit(not {'pyarrow', 'pyspark'}.isdisjoint(sys.modules))"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_public_name_is_exported() -> None:
    assert sorted(ccfs.__all__) == ccfs.__all__
    assert all(hasattr(ccfs, name) for name in ccfs.__all__)
