"""How long the samplers take to draw a step's networks, and how well the generator of MACs meets its requests."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from predictors.machine_load import load_snapshot, other_load
from search_spaces.errors import UsageError

TARGET_MS = 1.0


@benchmarks.register("draws")
def run(space: str = "ofa_mobilenet", networks: int = 4, requests: int = 4000, repeats: int = 100) -> dict[str, Any]:
    """Time a draw of every sampler, and check how near networks of requested MACs come to them.

    Args:
        space: the space, in its published form.
        networks: drawn at once, as in one step.
        requests: of MACs, even on a logarithmic axis over the whole range of the space.
        repeats: draws that are timed.
    """
    if networks < 2 or min(requests, repeats) < 1:
        raise UsageError(f"networks {networks}, requests {requests}, repeats {repeats}: give at least 2, 1 and 1")
    from nas.training.macs import TOLERANCE, MacsGenerator
    from nas.training.samplers import samplers
    from search_spaces.spaces import space as make_space

    made, before = make_space(space), load_snapshot()
    start = time.perf_counter()
    generator, rng = MacsGenerator(made), np.random.default_rng(0)
    setup_s = time.perf_counter() - start
    low, high = np.log(generator.macs[[0, -1]])
    asked = np.exp(rng.uniform(low, high, requests))
    met = generator.count(generator.draw(rng, asked.astype(np.int64)))
    error = np.abs(met - asked) / asked
    rows = [_timed(name, samplers.get(name), made, networks, repeats) for name in samplers.names()]
    return {
        "benchmark": "draws",
        "space": space,
        "networks": networks,
        "samplers": rows,
        "slowest_ms": max(row["draw_ms"] for row in rows),
        "target_shiftnas_ms": TARGET_MS,
        "met": next(row["draw_ms"] for row in rows if row["sampler"] == "shiftnas") < TARGET_MS,
        "generator_setup_s": round(setup_s, 3),
        "macs_range": [int(generator.macs[0]), int(generator.macs[-1])],
        "requests": requests,
        "tolerance": TOLERANCE,
        "requests_met_percent": round(100 * float((error <= TOLERANCE).mean()), 3),
        "median_error": round(float(np.median(error)), 5),
        "largest_error": round(float(error.max()), 5),
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


def _timed(name: str, kind: Any, space: Any, networks: int, repeats: int) -> dict[str, Any]:
    from nas.training.samplers import Draw

    start = time.perf_counter()
    sampler = kind(space)
    setup_s = time.perf_counter() - start
    seconds = []
    for seed in range(repeats):
        draw = Draw(np.random.default_rng(seed), networks, 0.5, lambda genes: np.zeros(len(genes)))
        start = time.perf_counter()
        sampler.draw(draw)
        seconds.append(time.perf_counter() - start)
    # The tables of the space are filled by now; the generator's own set-up says what they take.
    return {"sampler": name, "draw_ms": round(1e3 * float(np.median(seconds)), 3), "more_setup_s": round(setup_s, 3)}
