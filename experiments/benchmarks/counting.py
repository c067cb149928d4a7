"""How many architectures a second are counted exactly, a whole population in one call on one core."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from predictors.machine_load import load_snapshot, other_load
from search_spaces.errors import UsageError
from search_spaces.population import PopulationCost
from search_spaces.spaces import space

TARGET_PER_S = 1_000_000


@benchmarks.register("counting")
def run(space_name: str = "ofa_mobilenet", rows: int = 1_000_000, repeats: int = 5, seed: int = 0) -> dict[str, Any]:
    """Count params, MACs and activations of a random population: architectures/s, and seconds to set up.

    Args:
        space_name: the space, in its published form.
        rows: architectures in the one call.
        repeats: calls; the median counts.
        seed: of the population.
    """
    if rows < 1 or repeats < 1:
        raise UsageError(f"rows is {rows} and repeats is {repeats}: give at least 1 of each")
    found = space(space_name)
    before, start = load_snapshot(), time.perf_counter()
    tables = PopulationCost(found)
    table_s = time.perf_counter() - start
    genes = found.sample(np.random.default_rng(seed), rows)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        tables.counts(genes)
        seconds.append(time.perf_counter() - start)
    per_s = rows / float(np.median(seconds))
    return {
        "benchmark": "counting",
        "space": space_name,
        "rows": rows,
        "repeats": repeats,
        "architectures_per_s": round(per_s),
        "architectures_per_s_range": [round(rows / max(seconds)), round(rows / min(seconds))],
        "table_s": round(table_s, 3),
        "target_per_s": TARGET_PER_S,
        "met": per_s >= TARGET_PER_S,
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }
