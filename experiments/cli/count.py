"""``nas count``: the exact cost of one network."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table, read_blueprint

if TYPE_CHECKING:
    from search_spaces.blueprint import Blueprint

RULES = "core: conv, linear and attention products; fvcore and pycls: those and what these tools add."


@app.command()
def count(
    file: Path = typer.Argument(..., help="Architecture, blueprint or exported architecture.json; - is stdin."),
    counting: str = typer.Option("core", "--counting", help=RULES),
    resolution: int | None = typer.Option(None, "--resolution", min=1, help="Count at another input side, in pixels."),
    verify: bool = typer.Option(False, "--verify", help="Run fvcore on the built network too, and compare."),
    as_json: bool = JsonOption,
) -> None:
    """Count params, MACs (FLOPs are twice as many), activations and an estimate of peak memory, in closed form."""
    from dataclasses import replace

    from search_spaces.block import cost

    blueprint = read_blueprint(file)
    if resolution:
        blueprint = replace(blueprint, resolution=(resolution, resolution))
    found = {
        "family": blueprint.family,
        "resolution": list(blueprint.resolution),
        "counting": counting,
        **asdict(cost(blueprint, counting)),
        "obtained": "analytic",
    }
    if verify:
        found["fvcore"] = _fvcore(blueprint)
    if as_json:
        emit(found)
    else:
        print_table([found])


def _fvcore(blueprint: Blueprint) -> dict[str, int]:
    """Return fvcore's own totals of the built network."""
    from search_spaces.fvcore_check import fvcore_cost

    return dict(zip(("params", "macs", "activations"), fvcore_cost(blueprint), strict=True))
