"""The latency of a comparison's networks on its targets: timed in turn where the device is here, else analytic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.journal import Journal
from experiments.measuring import time_in_turn
from experiments.subjects import network_subject
from experiments.talk import Talk
from predictors.roofline import MEAN_ERROR, latency_ms
from predictors.target import Target, is_present, target
from search_spaces.block import network_blocks
from search_spaces.blueprint import Blueprint

JOURNAL = "latency.jsonl"


def latencies(
    targets: Sequence[str], networks: Sequence[Blueprint], rounds: int, folder: Path, talk: Talk
) -> dict[str, list[dict[str, Any]]]:
    """Return, for each target, one row a network: milliseconds, how obtained, and spread or interval.

    Networks are timed together, visited in turn, so that the machine's ups and downs meet all of them; what was timed
    once for these networks is kept.

    Args:
        targets: names.
        networks: distinct ones.
        rounds: visits to each.
        folder: of the journal.
        talk: told which targets are timed.
    """
    journal = Journal(folder / JOURNAL)
    found: dict[str, list[dict[str, Any]]] = {}
    for name in targets:
        where = target(name)
        if not is_present(where):
            found[where.name] = [_analytic(each, where) for each in networks]
            continue
        key = {"target": where.name, "rounds": rounds, "networks": [each.to_dict() for each in networks]}
        kept = journal.get(key)
        if kept is None:
            talk.say(f"timing {len(networks)} networks on {where.name}")
            kept = journal.add(key, {"rows": _timed(networks, where, rounds)})
        found[where.name] = kept["rows"]
    return found


def _analytic(network: Blueprint, where: Target) -> dict[str, Any]:
    """Return the roofline with the mean error that the formula has on single kernels, up and down."""
    value = latency_ms(network_blocks(network), where)
    return {
        "latency_ms": value,
        "low_ms": value / (1 + MEAN_ERROR),
        "high_ms": value * (1 + MEAN_ERROR),
        "obtained": "analytic",
    }


def _timed(networks: Sequence[Blueprint], where: Target, rounds: int) -> list[dict[str, Any]]:
    timed = time_in_turn((network_subject("network", each) for each in networks), where, num_rounds=rounds)
    return [
        {"latency_ms": float(value), "spread_ms": float(spread), "obtained": "measured", "notes": timed.other_work}
        for value, spread in zip(timed.latency_ms, timed.spread_ms, strict=True)
    ]
