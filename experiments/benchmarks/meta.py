"""How long a network takes to build on the meta device: every module anew, and its blocks from the cache."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from predictors.machine_load import load_snapshot, other_load
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import space, spaces

TARGET_US_PER_MODULE = 150
TARGET_CACHED_MS = 2.0


@benchmarks.register("meta")
def run(networks: int = 10, seed: int = 0, space_name: str = "") -> dict[str, Any]:
    """Time building on the meta device: microseconds a new module, milliseconds a network from the cache.

    Args:
        networks: random networks of each space; the median counts.
        seed: of the networks.
        space_name: only this space.
    """
    if networks < 1:
        raise UsageError(f"networks is {networks}: give at least 1")
    before, rows = load_snapshot(), {}
    for name in [space_name] if space_name else spaces.names():
        rows[name] = _measure(space(name), networks, seed)
    uncached, cached = (float(np.median([row[key] for row in rows.values()])) for key in ("us_per_module", "cached_ms"))
    return {
        "benchmark": "meta",
        "networks": networks,
        "spaces": rows,
        "us_per_module": round(uncached, 1),
        "cached_ms": round(cached, 3),
        "target_us_per_module": TARGET_US_PER_MODULE,
        "target_cached_ms": TARGET_CACHED_MS,
        "met": uncached < TARGET_US_PER_MODULE and cached < TARGET_CACHED_MS,
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


def _measure(found: SearchSpace, networks: int, seed: int) -> dict[str, float]:
    """Return medians of random networks of one space.

    Cached is a network inside the shared weights made ready to calibrate: its blocks looked up, its statistics fresh.
    """
    from search_spaces.sharing import SharedWeights

    shared = SharedWeights(found, device="meta")
    blueprints = list(map(found.blueprint, found.decode(found.sample(np.random.default_rng(seed), networks))))
    cached = []
    for blueprint in blueprints:
        shared.new_statistics(blueprint, "meta")
        start = time.perf_counter()
        shared.new_statistics(blueprint, "meta")
        cached.append(time.perf_counter() - start)
    modules, seconds = zip(*map(_build, blueprints), strict=True)
    return {
        "modules": float(np.median(modules)),
        "us_per_module": round(1e6 * float(np.median(np.array(seconds) / np.array(modules))), 1),
        "cached_ms": round(1e3 * float(np.median(cached)), 3),
    }


def _build(blueprint: Blueprint) -> tuple[int, float]:
    """Return (modules, seconds) of building every block of ``blueprint`` anew."""
    from search_spaces.building import Network, block_in_mode

    start = time.perf_counter()
    network = Network([(placed, block_in_mode(placed, "train")) for placed in blueprint.placed()])
    seconds = time.perf_counter() - start
    return len(list(network.modules())), seconds
