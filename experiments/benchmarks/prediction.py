"""How long the latency of whole populations takes to predict, means and intervals, on several targets at once.

The models are fitted to analytic latencies: what they say is no figure here, how long they take is that of any model.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from predictors.machine_load import load_snapshot, other_load
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.stages.latency import TargetLatency
    from search_spaces.space import SearchSpace

TARGET_MS = 200.0
NUM_MEASURED = 20


@benchmarks.register("prediction")
def run(
    space: str = "nb201",
    candidates: int = 20_000,
    targets: str = "h100,rtx4090,v100",
    repeats: int = 10,
    seed: int = 0,
) -> dict[str, Any]:
    """Time predicted latencies with deviations of many candidates on some targets, from genes to milliseconds.

    Args:
        space: in its published form.
        candidates: random networks.
        targets: comma-separated.
        repeats: the median counts, after one run that fills the tables of the space.
        seed: of the networks.
    """
    if min(candidates, repeats) < 1:
        raise UsageError(f"candidates is {candidates} and repeats is {repeats}: give at least 1 of each")
    from predictors.target import target
    from search_spaces.spaces import space as make_space

    before, found = load_snapshot(), make_space(space)
    names = [target(name.strip()) for name in targets.split(",") if name.strip()]
    if not names:
        raise UsageError("targets is empty: give names, as nas targets lists them")
    latencies = [_fitted(found, each, seed) for each in names]
    genes = found.sample(np.random.default_rng([seed, 1]), candidates)
    wall_ms, core_ms = _milliseconds(lambda: [each.predict(genes) for each in latencies], repeats)
    inputs = [each.inputs(genes) for each in latencies]
    pairs = [(each.model, columns) for each, columns in zip(latencies, inputs, strict=True) if each.model is not None]
    models_ms, models_core_ms = _milliseconds(
        lambda: [model.predict_inputs(columns) for model, columns in pairs], repeats
    )
    return {
        "benchmark": "prediction",
        "space": space,
        "candidates": candidates,
        "targets": [each.name for each in names],
        "wall_ms": wall_ms,
        "core_ms": core_ms,
        "of_that_models_ms": models_ms,
        "of_that_models_core_ms": models_core_ms,
        "target_core_ms": TARGET_MS,
        "met": core_ms < TARGET_MS,
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


def _fitted(space: SearchSpace, where: Any, seed: int) -> TargetLatency:
    """Return a structural model of analytic latencies on a target."""
    from experiments.latency_choice import population_of, prior_of
    from experiments.stages.latency import TargetLatency
    from predictors.latency import LatencyModel

    analytic = TargetLatency(space, where)
    population = population_of(space, seed)
    genes = population[np.random.default_rng(seed).choice(len(population), NUM_MEASURED, replace=False)]
    latency_ms = analytic.predict(genes)[0]
    few = {name: matrix for name, matrix in analytic.inputs(genes).items() if name != "roofline_ms"}
    model = LatencyModel.fit_prior(prior_of(analytic, population), few, latency_ms)
    return TargetLatency(space, where, model, genes, latency_ms)


def _milliseconds(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the medians of wall and of processor milliseconds (all threads of this process)."""
    call()
    times = []
    for _ in range(repeats):
        wall, core = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - wall, time.process_time() - core))
    wall_ms, core_ms = 1e3 * np.median(np.array(times), axis=0)
    return round(float(wall_ms), 1), round(float(core_ms), 1)
