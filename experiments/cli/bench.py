"""``nas bench``: the benchmarks, each printing what it measured and on which machine."""

from __future__ import annotations

from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, SetOption, emit


@app.command()
def bench(
    name: str | None = typer.Argument(None, help="Name of a benchmark; without it they are listed."),
    settings: list[str] = SetOption,
    as_json: bool = JsonOption,
) -> None:
    """Run a benchmark. Speed is told as ratios of interleaved runs; run it on a quiet machine."""
    from experiments.benchmarks import benchmarks

    if name is None:
        emit(benchmarks.names()) if as_json else print("\n".join(benchmarks.names()))
        return
    found = benchmarks.get(name)(**_arguments(name, settings))
    if as_json:
        emit(found)
        return
    for key, value in found.items():
        print(f"{key}: {value}")


def _arguments(name: str, settings: list[str]) -> dict[str, Any]:
    import inspect

    from experiments.benchmarks import benchmarks
    from experiments.config import parse_override
    from search_spaces.errors import unknown

    allowed = inspect.signature(benchmarks.get(name)).parameters
    found = {}
    for text in settings:
        keys, value = parse_override(text)
        key = ".".join(keys)
        if key not in allowed:
            raise unknown(f"setting of benchmark {name!r}", key, allowed)
        found[key] = value
    return found
