"""How long a rule takes for 10,000 blueprints on one core, and which rule fits which family with what it achieves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from predictors.machine_load import load_snapshot, other_load
from scaling.rule import RULES, ScalingRule, scaling_rule
from scaling.scaled import achieved
from scaling.solve import scale
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network, networks
from search_spaces.spaces import space, spaces

if TYPE_CHECKING:
    from search_spaces.blueprint import Blueprint

TARGET_S = 2.0
NO_CHANGE = "rounds back"


@benchmarks.register("scaling")
def speed(
    space_names: str = "ofa_mobilenet,regnet,swin,vit",
    rules: str = "fast,dwr,efficientnet,resnet_rs",
    factor: float = 4.0,
    rows: int = 10_000,
    repeats: int = 3,
) -> dict[str, Any]:
    """Time each scaling rule on a population of distinct blueprints of each space, in seconds.

    Every repeat is another population, so that no network was seen before.

    Args:
        space_names: comma-separated, in their published forms.
        rules: comma-separated.
        factor: of every rule.
        rows: blueprints of a population.
        repeats: populations; the median counts.
    """
    if rows < 1 or repeats < 1:
        raise UsageError(f"rows is {rows} and repeats is {repeats}: give at least 1 of each")
    found: list[dict[str, Any]] = []
    before = load_snapshot()
    for space_name in space_names.split(","):
        for number, rule in enumerate(rules.split(",")):
            times = [
                _seconds(space_name, scaling_rule(rule), factor, rows, 100 * number + seed) for seed in range(repeats)
            ]
            wall, processor = (float(np.median(column)) for column in zip(*times, strict=True))
            found.append({"space": space_name, "rule": rule, "wall_s": round(wall, 3), "cpu_s": round(processor, 3)})
    slowest = max(float(row["wall_s"]) for row in found)
    return {
        "benchmark": "scaling",
        "rows": rows,
        "factor": factor,
        "repeats": repeats,
        "rules": found,
        "slowest_s": slowest,
        "target_s": TARGET_S,
        "met": slowest < TARGET_S,
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


def _seconds(space_name: str, rule: ScalingRule, factor: float, rows: int, seed: int) -> tuple[float, float]:
    """Return (wall, processor) seconds of the rule on ``rows`` sampled networks, their making not counted."""
    found = space(space_name)
    population = [found.blueprint(each) for each in found.decode(found.sample(np.random.default_rng(seed), rows))]
    wall, processor = time.perf_counter(), time.process_time()
    for blueprint in population:
        rule(blueprint, factor)
    return time.perf_counter() - wall, time.process_time() - processor


@benchmarks.register("scaling_fit")
def fit(factors: str = "2,4", rules: str = "") -> dict[str, Any]:
    """Apply every scaling rule once to a published network of every family: growth of MACs achieved.

    "-": the rule does not fit the family; "=": it rounds back to the same network.

    Args:
        factors: comma-separated.
        rules: comma-separated; all rules when empty.
    """
    names = rules.split(",") if rules else RULES.names()
    bases = _published_bases()
    tables: dict[str, Any] = {"benchmark": "scaling_fit", "obtained": "analytic"}
    for factor in map(float, factors.split(",")):
        tables[f"factor {factor:g}"] = [
            {"family": family, "network": base} | {name: _achieved(name, base, family, factor) for name in names}
            for family, base in bases.items()
        ]
    return tables


def _published_bases() -> dict[str, str]:
    """Return the published network with the fewest MACs of each family; "" for a space without published networks."""
    found = dict.fromkeys(spaces.names(), "")
    macs: dict[str, int] = {}
    for name in networks.names():
        family, counted = networks.get(name).family, cost(network(name)).macs
        if family in found and counted < macs.get(family, counted + 1):
            found[family], macs[family] = name, counted
    return found


def _achieved(rule: str, name: str, family: str, factor: float) -> str:
    base = network(name) if name else _largest(family)
    try:
        scaled = scale(scaling_rule(rule), base, factor)
    except UsageError as error:
        return "=" if NO_CHANGE in str(error) else "-"
    return f"{achieved(cost(base), scaled.cost(cost)).macs:.2f}"


def _largest(family: str) -> Blueprint:
    found = space(family)
    return found.blueprint(found.largest())
