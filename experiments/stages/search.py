"""Stage 3: search the space; every evaluation is a committed row before anything depends on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.context import Context
from experiments.evaluating import Workers
from experiments.stages.latency import TargetLatency, by_name
from experiments.stages.training import Trained
from nas.search.algorithm import algorithms
from nas.search.objectives import Objective, Values, fronts_of, make_objectives, metric_column
from nas.search.search import Generation, HypervolumeBox, SearchResult, run_search
from predictors.measurement import Measurement
from search_spaces.architecture import Architecture
from search_spaces.population import PopulationCost, PopulationTable
from search_spaces.precision import size_bytes
from search_spaces.space import Genes, SearchSpace

NUM_BOX_NETWORKS = 2000


@dataclass(frozen=True)
class Searched:
    """What the algorithms found, the study's own first.

    Attributes:
        objectives: columns of all values.
        results: by algorithm name.
        box: what hypervolumes are measured in.
    """

    objectives: tuple[Objective, ...]
    results: dict[str, SearchResult]
    box: HypervolumeBox

    @property
    def main(self) -> SearchResult:
        """The result of the study's own algorithm."""
        return next(iter(self.results.values()))


class CheapValues:
    """The values of all objectives but the task's metric for whole populations: counts and latencies."""

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], latencies: Sequence[TargetLatency]) -> None:
        self._space, self._objectives = space, objectives
        self._latencies = by_name(latencies)
        self.cost = PopulationCost(space)

    def __call__(self, genes: Genes) -> Values:
        """Return (n, num_objectives) in natural units, NaN in the metric's column."""
        counts = self.cost.counts(genes)
        columns: list[NDArray[np.float64]] = []
        for objective in self._objectives:
            if objective.is_metric:
                columns.append(np.full(len(genes), np.nan))
            elif objective.target:
                latency = self.latency(objective)
                # A mean within the bound is over it half the time: what is bounded is searched by its upper limit.
                columns.append(latency.predict(genes)[0] if objective.upper is None else latency.upper_ms(genes))
            elif objective.name == "peak_memory_bytes":
                columns.append(self.cost.peak_memory_bytes(genes).astype(np.float64))
            elif objective.name == "size_bytes":
                columns.append(self._size_bytes(genes)[:, 0].astype(np.float64))
            else:
                index = ("params", "macs", "activations").index(objective.name)
                columns.append(counts[:, index].astype(np.float64))
        return np.column_stack(columns)

    def measurements(self, architecture: Architecture) -> list[Measurement]:
        """Return the values of one network as they are stored beside its score."""
        [values] = self(self._space.encode([architecture]))
        found = []
        for objective, value in zip(self._objectives, values.tolist(), strict=True):
            if objective.target:
                latency = self.latency(objective)
                quantity = objective.quantity if objective.upper is None else f"{objective.quantity}_upper_95"
                found.append(Measurement(quantity, value, objective.unit, latency.obtained, target=latency.target.name))
            elif not objective.is_metric:
                found.append(Measurement(objective.name, value, objective.unit, "analytic"))
        return found

    @cached_property
    def _size_bytes(self) -> PopulationTable:
        return PopulationTable(self._space, lambda layers: (size_bytes(layers),))

    def latency(self, objective: Objective) -> TargetLatency:
        """Return the model of a quantity on its target, whose name may be canonical or not."""
        from predictors.target import parse_target

        return self._latencies[parse_target(objective.target).text].of(objective.quantity)


class Evaluations:
    """Scores on validation images by architecture: those that are stored, and others as they are asked for.

    Workers are brought in with the first network that is not stored, and leave with the end of the block.
    """

    def __init__(self, context: Context, trained: Trained, cheap: CheapValues) -> None:
        self._context, self._trained, self._cheap = context, trained, cheap
        self._metric = context.data.task.metric
        rows = context.study.done("evaluation")
        self._known = {key: float(row[self._metric.name]) for key, row in rows.items()}
        self._stack = ExitStack()
        self._workers: Workers | None = None

    def __enter__(self) -> Evaluations:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def scores(self, architectures: Sequence[Architecture], on_done: Callable[[], None] = lambda: None) -> list[float]:
        """Return the task's metric on validation images, evaluating and storing each the first time."""
        new = [each for each in dict.fromkeys(architectures) if each.key not in self._known]
        if new:
            if self._workers is None:
                self._workers = self._stack.enter_context(self._context.evaluating(self._context, self._trained))
            for architecture, (score, spread) in self._workers.run(new, self._begin):
                self._finish(architecture, score, spread)
                on_done()
        return [self._known[architecture.key] for architecture in architectures]

    def _begin(self, architecture: Architecture) -> None:
        self._context.study.begin("evaluation", architecture.key)

    def _finish(self, architecture: Architecture, score: float, spread: float) -> None:
        metric = self._metric
        found = [
            Measurement(f"validation_{metric.name}", score, metric.unit, "measured", spread),
            *self._cheap.measurements(architecture),
        ]
        payload = {metric.name: score, "num_images": len(self._context.data.validation)}
        self._context.study.finish("evaluation", architecture.key, payload, found, architecture)
        self._known[architecture.key] = score


def require_reachable_bounds(context: Context, latencies: Sequence[TargetLatency]) -> None:
    """Look for one network within the bounds on everything but the task's metric, before anything is trained.

    Raises:
        UsageError: the study's own algorithm finds none; the nearest is named.
    """
    objectives = tuple(each for each in make_objectives(context.config.objectives) if not each.is_metric)
    if not any(objective.bounds() for objective in objectives):
        return
    cheap = CheapValues(context.space, objectives, latencies)
    box = hypervolume_box(context, objectives, cheap, 0.0)
    kind = algorithms.get(context.config.search.algorithm)
    algorithm = kind(context.space, objectives, kind.Settings(**context.config.search.settings), context.config.seed)
    run_search(algorithm, cheap, 1, box, evaluate_cheap=cheap)


def search_space(
    context: Context, trained: Trained, latencies: Sequence[TargetLatency], start: Genes | None = None
) -> Searched:
    """Run the study's algorithm and those it is compared with, each with the same evaluations, ``start`` first."""
    objectives = make_objectives(context.config.objectives)
    cheap = CheapValues(context.space, objectives, latencies)
    settings = context.config.search
    names = list(dict.fromkeys([settings.algorithm, *settings.compare]))
    with context.stage("search"), Evaluations(context, trained, cheap) as evaluations:
        [floor] = evaluations.scores([context.space.smallest()])
        box = hypervolume_box(context, objectives, cheap, floor)
        results = {name: _run(context, name, objectives, cheap, evaluations, box, start) for name in names}
    return Searched(objectives, results, box)


def _run(
    context: Context,
    name: str,
    objectives: tuple[Objective, ...],
    cheap: CheapValues,
    evaluations: Evaluations,
    box: HypervolumeBox,
    start: Genes | None,
) -> SearchResult:
    config = context.config.search
    kind = algorithms.get(name)
    algorithm = kind(
        context.space,
        objectives,
        kind.Settings(**(config.settings if name == config.algorithm else {})),
        context.config.seed,
    )
    column = metric_column(objectives)
    with context.talk.progress(f"search ({name})", config.evaluations) as progress:
        done = 0

        def one_more() -> None:
            nonlocal done
            done += 1
            progress(done)

        def evaluate(genes: Genes) -> Values:
            values = np.full((len(genes), len(objectives)), np.nan)
            values[:, column] = evaluations.scores(context.space.decode(genes), one_more)
            return values

        def generation(found: Generation) -> None:
            nonlocal done
            # Those that were stored before count too.
            done = found.num_evaluations
            progress(done)

        result = run_search(
            algorithm,
            evaluate,
            config.evaluations,
            box,
            evaluate_cheap=cheap,
            start=start,
            on_generation=generation,
        )
    context.talk.say(
        f"{name}: {len(result.genes)} networks evaluated, {int(result.front.sum())} on the front, "
        f"hypervolume {result.hypervolumes[-1][1]:.4f}"
        + (f"; {result.num_failed} failed (no finite values)" if result.num_failed else "")
    )
    return result


def hypervolume_box(
    context: Context, objectives: tuple[Objective, ...], cheap: CheapValues, score_floor: float
) -> HypervolumeBox:
    """Return the box of the hypervolume: the metric from ``score_floor`` to its best, and the range of cheap ones.

    The ranges are those of 2,000 random networks, the smallest and the largest: the same for every algorithm.
    """
    space = context.space
    ends = space.encode([space.smallest(), space.largest()])
    drawn = space.sample(np.random.default_rng([context.config.seed, 2]), NUM_BOX_NETWORKS)
    values = cheap(np.concatenate([ends, drawn]))
    ideal, reference = [], []
    for column, objective in enumerate(objectives):
        if objective.best is not None:
            ideal.append(objective.best)
            # Never nearer to the best than one unit, so that the box has a volume.
            at_least = min if objective.direction == "max" else max
            one_off = objective.best - 1.0 if objective.direction == "max" else objective.best + 1.0
            reference.append(at_least(score_floor, one_off))
        else:
            low, high = float(values[:, column].min()), float(values[:, column].max())
            ideal.append(low)
            reference.append(high if high > low else low * (1 + 1e-9) + 1e-9)
    fronts = tuple(tuple(front) for front in fronts_of(objectives))
    return HypervolumeBox(objectives, tuple(ideal), tuple(reference), fronts)
