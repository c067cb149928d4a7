"""How fast a search looks at candidates: counts, latencies, accuracy with its uncertainty, and their order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.stages.latency import TargetLatency
    from search_spaces.space import Genes, SearchSpace

Array = NDArray[np.float64]

TARGETS = ("h100:bf16:b32", "t4:fp16:b1", "orin:fp16:b1")
NUM_TIMED = 20
STEPS = ("counts", "latencies and inputs", "accuracy", "sorting")


@benchmarks.register("scoring")
def run(
    space: str = "ofa_mobilenet", candidates: int = 100_000, evaluated: int = 200, repeats: int = 3
) -> dict[str, Any]:
    """Time the look at a population: counts, three latencies and accuracy with uncertainty of each, then the fronts.

    The models are fitted to synthetic values: what they predict is meaningless, how long they take is not.

    Args:
        space: name of a space.
        candidates: random networks to score.
        evaluated: networks that the accuracy model is fitted to.
        repeats: the median of so many is reported.

    Raises:
        UsageError: an unknown space, or fewer than 10 candidates, 10 evaluated networks or 1 repeat.
    """
    from experiments.machine import machine, versions
    from predictors.machine_load import load_snapshot, other_load
    from predictors.runtime import pinned_threads
    from search_spaces.spaces import space as make_space

    if candidates < 10 or evaluated < 10 or repeats < 1:
        raise UsageError(
            f"candidates is {candidates}, evaluated {evaluated} and repeats {repeats}: give at least 10, 10 and 1"
        )
    before = load_snapshot()
    with pinned_threads(1):
        scorer = Scorer(make_space(space), evaluated)
        genes = scorer.space.sample(np.random.default_rng(1), candidates)
        rounds = [scorer.timed(genes) for _ in range(repeats)]
    seconds = {step: float(np.median([each[0][step] for each in rounds])) for step in rounds[0][0]}
    return {
        "benchmark": "scoring",
        "space": space,
        "candidates": candidates,
        "evaluated": evaluated,
        "targets": list(TARGETS),
        "seconds": round(sum(seconds.values()), 3),
        "steps": [{"step": step, "seconds": round(value, 3)} for step, value in seconds.items()],
        "front_sizes": rounds[0][1],
        "threads": 1,
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


class Scorer:
    """What scores candidates in a study, fitted: the latency models of ``nas run`` and the search's surrogate."""

    def __init__(self, space: SearchSpace, evaluated: int) -> None:
        from experiments.stages.latency import TargetLatency
        from experiments.stages.search import CheapValues
        from nas.search.objectives import make_objective
        from nas.search.surrogate import Columns, Surrogate
        from predictors.target import target

        self.space = space
        objectives = (make_objective("accuracy"), *(make_objective(f"latency_ms@{name}") for name in TARGETS))
        latencies = [_fitted(TargetLatency(space, target(name))) for name in TARGETS]
        self._cheap = CheapValues(space, objectives, latencies)
        self._columns = Columns(space, self._cheap)
        told = space.sample(np.random.default_rng(0), evaluated)
        inputs, values = self._columns(told), self._cheap(told)
        values[:, 0] = 100.0 - 60.0 * _share(np.log(self._cheap.cost.counts(told)[:, 1]))
        self._surrogate = Surrogate(self._columns, objectives, inputs, values)

    def timed(self, genes: Genes) -> tuple[dict[str, float], list[int]]:
        """Return the seconds of each step, and how many networks are on the front of each target."""
        from nas.search.pareto import non_dominated

        start = time.perf_counter()
        self._cheap.cost.counts(genes)
        counted = time.perf_counter()
        inputs = self._columns(genes)
        known = time.perf_counter()
        error, *latencies = self._surrogate(inputs)
        predicted = time.perf_counter()
        order = np.lexsort((error.deviation, error.mean))
        points = [np.column_stack([error.mean, each.mean])[order] for each in latencies]
        sizes = [int(non_dominated(each).sum()) for each in points]
        seconds = np.diff([start, counted, known, predicted, time.perf_counter()]).tolist()
        return dict(zip(STEPS, seconds, strict=True)), sizes


def _fitted(analytic: TargetLatency) -> TargetLatency:
    """Return a latency with the model of a study, fitted to twenty roofline latencies with some noise."""
    from dataclasses import replace

    from experiments.latency_choice import population_of, prior_of
    from predictors.latency import LatencyModel

    population = population_of(analytic.space, 0)
    genes = population[np.random.default_rng(0).choice(len(population), NUM_TIMED, replace=False)]
    noise = np.random.default_rng(1).normal(1.0, 0.02, NUM_TIMED)
    measured_ms = analytic.predict(genes)[0] * noise
    inputs = analytic.inputs(genes)
    prior = prior_of(analytic, population)
    model = LatencyModel.fit_prior(prior, {name: inputs[name] for name in ("features", "one_hot")}, measured_ms)
    return replace(analytic, model=model, genes=genes, measured_ms=measured_ms)


def _share(values: Array) -> Array:
    return np.asarray((values.max() - values) / np.ptp(values))
