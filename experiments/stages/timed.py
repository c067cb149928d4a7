"""One network timed within a study: stored once, read back after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.measuring import time_subject
from experiments.subjects import network_subject
from predictors.measurement import Measurement
from predictors.timing import Timing, TimingPlan

if TYPE_CHECKING:
    from experiments.context import Context
    from predictors.target import Target
    from search_spaces.architecture import Architecture

STORED = {"latency_p95_ms": ("p95_ms", "ms"), "energy_mj": ("energy_mj", "mJ")}
"""What is measured beside the median latency: the key of a row, and the unit."""
MIN_RUNS, MIN_RUNS_P95 = 10, 40
"""Of fewer runs a 95th percentile is little but the slowest."""


def measure(context: Context, where: Target, architecture: Architecture) -> dict[str, Measurement]:
    """Return what a network takes on ``where``, by quantity; it is timed and stored unless that was done before.

    ``latency_ms`` is there always; of ``STORED`` what was measured: energy only where a driver counts it.
    """
    key = f"{where.name} {architecture.key}"
    if key not in context.study.attempts("measurement") or key not in context.study.done("measurement"):
        context.study.begin("measurement", key)
        timing = time_network(context, where, architecture)
        median = timing.measurement(where.name)
        payload = {
            "latency_ms": median.value,
            "spread_ms": median.spread,
            "p95_ms": timing.p95_ms,
            "energy_mj": timing.energy_mj,
            "num_runs": timing.num_runs,
            "versions": dict(median.versions),
        }
        context.study.finish("measurement", key, payload, [median], architecture)
    return _read(context.study.done("measurement")[key], where.name)


def _read(row: Mapping[str, Any], target: str) -> dict[str, Measurement]:
    versions = row["versions"]
    found = {
        "latency_ms": Measurement("latency_ms", row["latency_ms"], "ms", "measured", row["spread_ms"], target, versions)
    }
    for quantity, (key, unit) in STORED.items():
        # A row of an earlier version has the median alone.
        if row.get(key) is not None:
            found[quantity] = Measurement(quantity, row[key], unit, "measured", None, target, versions)
    return found


def time_network(context: Context, where: Target, architecture: Architecture) -> Timing:
    """Time one network, alone as an ordinary module, on random images."""
    subject = network_subject(architecture.key, context.space.blueprint(architecture))
    tail = any(each.objective().quantity == "latency_p95_ms" for each in context.config.objectives)
    min_runs = MIN_RUNS_P95 if tail else MIN_RUNS
    plan = TimingPlan(budget_s=context.config.latency.budget_s, min_runs=min_runs, max_warmup_s=1.0)
    return time_subject(subject, where, plan)
