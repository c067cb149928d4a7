"""``nas scale``: make a network larger or smaller by a rule, with the achieved cost."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table, read_blueprint
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaling.rule import ScalingRule
    from scaling.scaled import ScaledBlueprint
    from search_spaces.blueprint import Blueprint
    from search_spaces.layers import Cost

RULES_HELP = "One that --rules lists: fast, efficientnet, d, w, r, dw, dwr, ..., or weights as d1_w8_g8_r1."
BUDGET_HELP = "Instead of a factor, the most allowed: macs=4e9, activations=, params=, memory_bytes=, latency_ms=3."


def _list_rules(asked: bool) -> None:
    if asked:
        from scaling.rule import RULE_MAKERS, RULES

        print("\n".join([*RULES.names(), *(f"{name}:ARGUMENT" for name in RULE_MAKERS.names())]))
        raise typer.Exit


@app.command()
def scale(
    file: Path = typer.Argument(..., help="Architecture or blueprint file, or a published network; - is stdin."),
    rule: str = typer.Option("fast", "--rule", help=RULES_HELP),
    factor: float | None = typer.Option(None, "--factor", help="How many times the MACs."),
    budget: str | None = typer.Option(None, "--budget", help=BUDGET_HELP),
    target: str | None = typer.Option(None, "--target", help="Where latency_ms holds, as h100:fp16:b1."),
    counting: str = typer.Option("core", "--counting", help="Counting rule of the achieved cost."),
    solved: bool = typer.Option(
        False, "--solve/--as-given", help="Search the rule's factor that achieves --factor, or apply it once."
    ),
    write: Path | None = typer.Option(None, "--write", help="Write the scaled blueprint as JSON."),
    as_json: bool = JsonOption,
    _rules: bool = typer.Option(False, "--rules", callback=_list_rules, is_eager=True, help="List the rules."),
) -> None:
    """Scale a network; prints resolution, depths, widths, group widths, cost, and achieved beside asked growth."""
    from nas.files import write_text
    from scaling.rule import scaling_rule
    from search_spaces.block import cost

    blueprint, found_rule = read_blueprint(file), scaling_rule(rule)

    def count(each: Blueprint) -> Cost:
        return cost(each, counting)

    if (factor is None) == (budget is None):
        raise UsageError("give one of --factor (how many times the MACs) and --budget (as macs=4e9)")
    if budget is None:
        assert factor is not None
        scaled, asked = _by_factor(found_rule, blueprint, factor, count, solved), {"factor_asked": factor}
    else:
        scaled, asked = _within(found_rule, blueprint, budget, target, count)
    content = {"rule": scaled.rule, **asked, **_described(scaled, blueprint, count), "counting": counting}
    if write:
        write_text(write, json.dumps(scaled.blueprint.to_dict(), indent=1, sort_keys=True) + "\n")
    if as_json:
        emit({**content, **_transfer(blueprint, scaled), "blueprint": scaled.blueprint.to_dict()})
    else:
        print_table([_flat(content)])


def _by_factor(
    rule: ScalingRule, blueprint: Blueprint, factor: float, count: Callable[[Blueprint], Cost], solved: bool
) -> ScaledBlueprint:
    from scaling.solve import scale as apply_once
    from scaling.solve import solve

    return solve(rule, blueprint, factor, count).scaled if solved else apply_once(rule, blueprint, factor)


def _within(
    rule: ScalingRule, blueprint: Blueprint, text: str, target: str | None, count: Callable[[Blueprint], Cost]
) -> tuple[ScaledBlueprint, dict[str, Any]]:
    """Return the scaled network, and what was asked and used."""
    from predictors.roofline import latency_ms
    from predictors.target import target as target_of
    from scaling.budget import LATENCY, measure_of, parse_budget
    from scaling.solve import solve_budget
    from search_spaces.block import network_blocks

    budget, latency = parse_budget(text), None
    if target is not None:
        found = target_of(target)
        latency = lambda each: latency_ms(network_blocks(each), found)  # noqa: E731
    solution = solve_budget(rule, blueprint, budget.limit, measure_of(budget, count, latency))
    asked: dict[str, Any] = {"budget": {budget.quantity: budget.limit}, "used": {budget.quantity: solution.used}}
    return solution.scaled, asked | ({"target": target} if budget.quantity == LATENCY else {})


def _described(scaled: ScaledBlueprint, base: Blueprint, count: Callable[[Blueprint], Cost]) -> dict[str, Any]:
    from scaling.scaled import achieved

    found, scaled_cost = scaled.blueprint, scaled.cost(count)
    growth = achieved(count(base), scaled_cost)
    return {
        "factor_achieved": growth.macs,
        "rule_factor": scaled.factor_asked,
        "resolution": list(found.resolution),
        "depths": [stage.depth for stage in found.stages],
        "widths": [stage.width for stage in found.stages],
        "group_widths": _group_widths(found),
        **asdict(scaled_cost),
        "growth": {"params": growth.params, "activations": growth.activations},
        "predicted_growth": {name: getattr(scaled.predicted, name) for name in ("macs", "params", "activations")},
        **dict(scaled.details),
        **({"scales": list(scaled.scales)} if scaled.scales != (1,) else {}),
        "obtained": "analytic",
    }


def _group_widths(blueprint: Blueprint) -> list[int]:
    """Return the channels of one group of each stage's grouped convolutions; empty where no stage states them."""
    stated = [dict(stage.blocks[0].settings).get("group_width") for stage in blueprint.stages]
    return [int(width) for width in stated if width is not None]


def _transfer(base: Blueprint, scaled: ScaledBlueprint) -> dict[str, Any]:
    """Return the multipliers that carry the base's learning rate over to a wider network."""
    if scaled.factors.width == 1:
        return {}
    from scaling.mup import multipliers

    return {"mup": {name: asdict(found) for name, found in multipliers(base, scaled.blueprint).items()}}


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    """Return ``content`` with tables in it spread over columns, as ``growth.params``."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        found |= {f"{key}.{name}": each for name, each in value.items()} if isinstance(value, dict) else {key: value}
    return found
