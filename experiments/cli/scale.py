"""``nas scale``: make a network larger or smaller by a rule, with the achieved cost."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table, read_blueprint


@app.command()
def scale(
    file: Path = typer.Argument(..., help="Architecture or blueprint file; - is stdin."),
    rule: str = typer.Option("fast", "--rule", help="fast, efficientnet, d, w, r, dw, dwr, ..., or d1_w8_g8_r1."),
    factor: float = typer.Option(..., "--factor", help="How many times the MACs."),
    counting: str = typer.Option("core", "--counting", help="Counting rule of the achieved cost."),
    as_given: bool = typer.Option(
        False, "--as-given", help="Apply the rule's factors once, without solving for the achieved MACs."
    ),
    write: Path | None = typer.Option(None, "--write", help="Write the scaled blueprint as JSON."),
    as_json: bool = JsonOption,
) -> None:
    """Scale a network; prints resolution, depths, widths, cost, and achieved beside asked growth."""
    import json

    from nas.export.files import write_text
    from scaling.rule import scaling_rule
    from scaling.scaled import achieved
    from scaling.solve import scale as apply_once
    from scaling.solve import solve
    from search_spaces.block import cost

    blueprint, found_rule = read_blueprint(file), scaling_rule(rule)
    base = cost(blueprint, counting)
    if as_given:
        scaled = apply_once(found_rule, blueprint, factor)
    else:
        scaled = solve(found_rule, blueprint, factor, lambda found: cost(found, counting)).scaled
    scaled_cost = cost(scaled.blueprint, counting)
    growth = achieved(base, scaled_cost)
    content: dict[str, Any] = {
        "rule": scaled.rule,
        "factor_asked": factor,
        "factor_achieved": growth.macs,
        "resolution": list(scaled.blueprint.resolution),
        "depths": [stage.depth for stage in scaled.blueprint.stages],
        "widths": [stage.width for stage in scaled.blueprint.stages],
        "counting": counting,
        **asdict(scaled_cost),
        "growth": {"params": growth.params, "activations": growth.activations},
        "predicted_growth": {name: getattr(scaled.predicted, name) for name in ("macs", "params", "activations")},
        "obtained": "analytic",
    }
    if write:
        write_text(write, json.dumps(scaled.blueprint.to_dict(), indent=1, sort_keys=True) + "\n")
    emit({**content, "blueprint": scaled.blueprint.to_dict()}) if as_json else print_table([_flat(content)])


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    """Return ``content`` with tables in it spread over columns, as ``growth.params``."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        found |= {f"{key}.{name}": each for name, each in value.items()} if isinstance(value, dict) else {key: value}
    return found
