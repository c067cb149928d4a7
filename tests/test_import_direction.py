"""Imports run one way, and importing a package loads nothing heavy (tried in processes of their own)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ("search_spaces", "predictors", "scaling", "nas", "experiments")
WITHOUT_TORCH = ("knobs", "architecture", "blueprint", "layers", "space")
HEAVY = ("torch", "ray", "pandas", "plotly", "sqlalchemy")


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import, those inside functions and for type checkers included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module


def against_the_order(package: str, source: str) -> list[str]:
    """Return the imports that a file of ``package`` may not make."""
    later = ORDER[ORDER.index(package) + 1 :]
    return [f"line {line}: {module}" for line, module in imported(source) if module.split(".")[0] in later]


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_those_before_it(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"no source in {package}"
    wrong = {str(file.relative_to(ROOT)): against_the_order(package, file.read_text()) for file in files}
    assert {file: lines for file, lines in wrong.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import nas",
        "import nas.search",
        "from nas import search",
        "def f():\n    from nas.search import x",
        "import os, nas",
    ],
)
def test_the_check_sees_every_form_of_import(source: str) -> None:
    assert len(against_the_order("scaling", source)) == 1
    assert against_the_order("experiments", source) == []


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_what_an_architecture_is_needs_no_torch(module: str) -> None:
    source = (ROOT / "search_spaces" / f"{module}.py").read_text()
    assert [name for _, name in imported(source) if name.split(".")[0] == "torch"] == []


@pytest.mark.parametrize(
    "module",
    ["search_spaces", "predictors", "scaling", "nas", "experiments", *(f"search_spaces.{m}" for m in WITHOUT_TORCH)],
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, ""), result.stderr
