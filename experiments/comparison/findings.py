"""What a comparison found: one row a network, readings at equal latency, and what so many seeds can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from scaling.comparison import Compared
from scaling.equal_cost import Curve, common_costs, smallest_difference
from search_spaces.blueprint import Blueprint
from search_spaces.layers import Cost

BASE = "base"
Results = Mapping[tuple[Blueprint, int], Mapping[str, Any]]
"""Finished trials by network and seed."""


def comparison_rows(
    base: Blueprint,
    base_cost: Cost,
    compared: Sequence[Compared],
    latency: Mapping[str, Mapping[Blueprint, Mapping[str, Any]]],
    results: Results,
    seeds: int,
) -> list[dict[str, Any]]:
    """Return one row a rule and factor, the base first, plain data.

    Args:
        base: the network that all rules scaled.
        base_cost: counted.
        compared: the scaled ones.
        latency: by target and network; a network that sees several scales has none.
        results: of training; empty where nothing was trained.
        seeds: that were asked.
    """
    first: dict[Blueprint, str] = {}
    rows = [{"rule": BASE, "factor": 1.0, **_described(base, base_cost)}]
    networks = [base]
    for each in compared:
        network = each.scaled.blueprint
        row = {
            "rule": each.rule,
            "factor": each.factor,
            **_described(network, each.cost),
            "growth": asdict(each.achieved),
            "predicted_growth": asdict(each.scaled.predicted),
        }
        if network in first:
            row["same_as"] = first[network]
        first.setdefault(network, each.rule)
        rows.append(row)
        networks.append(network)
    single = [True, *(each.scaled.scales == (1,) for each in compared)]
    for row, network, alone in zip(rows, networks, single, strict=True):
        row["latency"] = {name: dict(found[network]) for name, found in latency.items()} if alone else {}
        row |= _trained(network, results, seeds) if alone else {}
    return rows


def _described(network: Blueprint, cost: Cost) -> dict[str, Any]:
    return {
        "resolution": list(network.resolution),
        "depths": [stage.depth for stage in network.stages],
        "widths": [stage.width for stage in network.stages],
        **asdict(cost),
    }


def _trained(network: Blueprint, results: Results, seeds: int) -> dict[str, Any]:
    found = [results[network, seed] for seed in range(seeds) if (network, seed) in results]
    if not found:
        return {}
    accuracies = [row["test_accuracy"] for row in found]
    return {
        "test_accuracy": float(np.mean(accuracies)),
        "test_accuracy_spread": float(np.std(accuracies, ddof=1)) if len(found) > 1 else None,
        "test_accuracies": accuracies,
        "training_s": float(np.mean([row["training_cpu_s"] for row in found])),
    }


def at_equal_latency(rows: Sequence[Mapping[str, Any]], target: str, num_sizes: int) -> dict[str, Any] | None:
    """Return each rule's accuracy read off at common latencies, the best first.

    None before two rules are trained, and where no latency is reached by all. Only seeds count that every network of
    the reading finished: they are paired.
    """
    rules = list(dict.fromkeys(row["rule"] for row in rows if row["rule"] != BASE))
    (base,) = (row for row in rows if row["rule"] == BASE)
    whole = [rule for rule in rules if all(_usable(row, target) for row in (base, *_of(rows, rule)))]
    if len(whole) < 2:
        return None
    used = [base, *(row for rule in whole for row in _of(rows, rule))]
    seeds = min(len(row["test_accuracies"]) for row in used)
    curves = {rule: _curve([base, *_of(rows, rule)], target, seeds) for rule in whole}
    distinct = {tuple(row["test_accuracies"][:seeds]): row for row in used}
    accuracies = np.array([row["test_accuracies"][:seeds] for row in distinct.values()]).T
    readings = [_reading(curves, cost) for cost in common_costs(curves, num_sizes)]
    if not readings:
        return None
    return {
        "target": target,
        "seeds": seeds,
        "rules": whole,
        "left_out": [rule for rule in rules if rule not in whole],
        "smallest_difference": smallest_difference(accuracies),
        "readings": readings,
    }


def _of(rows: Sequence[Mapping[str, Any]], rule: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["rule"] == rule]


def _usable(row: Mapping[str, Any], target: str) -> bool:
    return target in row["latency"] and "test_accuracies" in row


def _curve(rows: Sequence[Mapping[str, Any]], target: str, seeds: int) -> Curve:
    costs = np.array([row["latency"][target]["latency_ms"] for row in rows])
    return Curve(costs, np.array([row["test_accuracies"][:seeds] for row in rows]).T)


def _reading(curves: Mapping[str, Curve], cost: float) -> dict[str, Any]:
    found = {rule: curve.at(cost) for rule, curve in curves.items()}
    order = sorted(found, key=lambda rule: float(found[rule].mean()), reverse=True)
    best = found[order[0]]
    return {
        "latency_ms": cost,
        "best": order[0],
        "rules": [
            {
                "rule": rule,
                "test_accuracy": float(found[rule].mean()),
                "spread": float(found[rule].std(ddof=1)) if len(best) > 1 else None,
                "behind": float((best - found[rule]).mean()),
            }
            for rule in order
        ],
    }
