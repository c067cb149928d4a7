"""The search loop: ask, look at what is cheap, evaluate what keeps the bounds, tell; until the budget is spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.search.algorithm import Evaluate, SearchAlgorithm
from nas.search.objectives import Objective, Values, is_feasible, to_minimised, total_violation
from nas.search.pareto import hypervolume, non_dominated, normalise
from search_spaces.errors import NasError, UsageError
from search_spaces.space import Genes

# Rows that may be looked at (counted, predicted) before the search gives up on its bounds: an evaluation, and at least.
_LOOKS_PER_EVALUATION = 100
_LEAST_LOOKS = 10_000


@dataclass(frozen=True)
class HypervolumeBox:
    """The fixed box whose dominated share is a search's hypervolume; corners in natural units.

    Attributes:
        objectives: what the columns are.
        ideal: the best value of each objective that is thought possible.
        reference: the worst value of each that still counts.
        fronts: the columns of each front; the share is the mean over them. Empty: one front of all columns.
    """

    objectives: tuple[Objective, ...]
    ideal: tuple[float, ...]
    reference: tuple[float, ...]
    fronts: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        for objective, ideal, reference in zip(self.objectives, self.ideal, self.reference, strict=True):
            if not (ideal < reference if objective.direction == "min" else ideal > reference):
                raise UsageError(
                    f"the hypervolume of {objective.name!r} runs from {ideal:g} to {reference:g}: "
                    f"the first must be better than the second ({objective.direction})"
                )

    def share(self, values: Values) -> float:
        """Return the hypervolume of the feasible rows of ``values``, in units of the box: 1 is all of it."""
        corners = to_minimised(np.array([self.ideal, self.reference]), self.objectives)
        points = to_minimised(values[is_feasible(values, self.objectives)], self.objectives)
        scaled = normalise(points, *corners)
        fronts = self.fronts or (tuple(range(len(self.objectives))),)
        return float(np.mean([hypervolume(scaled[:, front], np.ones(len(front))) for front in fronts]))


@dataclass(frozen=True)
class Generation:
    """What one generation evaluated.

    Attributes:
        index: from 0; only generations that evaluated something are counted.
        genes: (n, num_knobs), in the order asked.
        values: (n, num_objectives), natural units; NaN is failed.
        num_evaluations: so far, these included.
        hypervolume: of everything so far.
    """

    index: int
    genes: Genes
    values: Values
    num_evaluations: int
    hypervolume: float


@dataclass(frozen=True)
class SearchResult:
    """What a search evaluated, in order.

    Attributes:
        genes: (n, num_knobs), distinct.
        values: (n, num_objectives), natural units; NaN is failed.
        generations: (n,), the generation of each row.
        front: (n,), which rows are feasible and not dominated by a feasible row.
        hypervolumes: (number of evaluations, hypervolume) after each generation.
        num_rejected: rows that broke a bound on a cheap objective and were not evaluated.
    """

    genes: Genes
    values: Values
    generations: NDArray[np.int64]
    front: NDArray[np.bool_]
    hypervolumes: list[tuple[int, float]]
    num_rejected: int

    @property
    def num_failed(self) -> int:
        """The number of evaluated networks without finite values; they are on no front."""
        return int((~np.isfinite(self.values).all(axis=1)).sum())


def run_search(
    algorithm: SearchAlgorithm,
    evaluate: Evaluate,
    budget: int,
    box: HypervolumeBox,
    *,
    evaluate_cheap: Evaluate | None = None,
    start: Genes | None = None,
    on_generation: Callable[[Generation], None] | None = None,
) -> SearchResult:
    """Spend ``budget`` evaluations of distinct architectures, or as many as there are.

    Args:
        algorithm: fresh; a search is resumed by running it again with an ``evaluate`` that remembers.
        evaluate: rows to values (n, num_objectives), natural units, NaN for a network that failed. Columns that
            ``evaluate_cheap`` knows are taken from there.
        budget: the exact number of rows that ``evaluate`` gets in all; the last generation is cut to it.
        box: what the hypervolume is measured in, fixed for the whole search.
        evaluate_cheap: rows to values with NaN in the columns that only ``evaluate`` knows. Rows that break a bound on
            a cheap value are told to the algorithm as such and cost nothing of the budget.
        start: rows that are evaluated first, as far as the budget reaches (a warm start); copies count once.
        on_generation: called after each generation that evaluated something.

    Raises:
        UsageError: the budget is below 1, or no architecture met the bounds (the nearest is named).
        NasError: every evaluation failed, or one gave values of another shape.
    """
    if budget < 1:
        raise UsageError(f"the search got a budget of {budget} evaluations: give at least 1")
    if evaluate_cheap is not None:
        algorithm.use_cheap(evaluate_cheap)
    run = _Run(algorithm, evaluate, evaluate_cheap or _know_nothing(len(algorithm.objectives)), box)
    max_looks = max(_LEAST_LOOKS, _LOOKS_PER_EVALUATION * budget)
    given = None if start is None else distinct(algorithm.space.canonical(start))
    while run.num_evaluations < budget and run.num_looked_at < max_looks:
        genes, given = (given, None) if given is not None else (algorithm.ask(), None)
        if not len(genes):
            break
        generation = run.step(genes, budget)
        if generation is not None and on_generation is not None:
            on_generation(generation)
    return run.result()


class _Run:
    """What a search has met so far."""

    def __init__(
        self, algorithm: SearchAlgorithm, evaluate: Evaluate, evaluate_cheap: Evaluate, box: HypervolumeBox
    ) -> None:
        self.algorithm, self.evaluate, self.evaluate_cheap, self.box = algorithm, evaluate, evaluate_cheap, box
        self.generations: list[Generation] = []
        self.rejected: list[tuple[Genes, Values]] = []

    @property
    def num_evaluations(self) -> int:
        return sum(len(generation.genes) for generation in self.generations)

    @property
    def num_looked_at(self) -> int:
        return self.num_evaluations + sum(len(genes) for genes, _ in self.rejected)

    def step(self, genes: Genes, budget: int) -> Generation | None:
        """Evaluate those of ``genes`` that keep the cheap bounds, up to the budget, and tell all but the cut ones."""
        values = np.array(self.evaluate_cheap(genes), dtype=np.float64)
        admitted = total_violation(values, self.algorithm.objectives) == 0.0
        chosen = np.flatnonzero(admitted)[: budget - self.num_evaluations]
        if len(chosen):
            expensive = self.evaluate(genes[chosen])
            if np.shape(expensive) != (len(chosen), values.shape[1]):
                raise NasError(
                    f"the evaluation of {len(chosen)} networks gave values of shape {np.shape(expensive)}: give "
                    f"({len(chosen)}, {values.shape[1]}), NaN for what failed"
                )
            values[chosen] = np.where(np.isnan(values[chosen]), expensive, values[chosen])
        if not admitted.all():
            self.rejected.append((genes[~admitted], values[~admitted]))
        told = ~admitted
        told[chosen] = True
        self.algorithm.tell(genes[told], values[told])
        return self._generation(genes[chosen], values[chosen]) if len(chosen) else None

    def _generation(self, genes: Genes, values: Values) -> Generation:
        known = np.concatenate([*(generation.values for generation in self.generations), values])
        share = self.box.share(known)
        generation = Generation(len(self.generations), genes, values, len(known), share)
        self.generations.append(generation)
        return generation

    def result(self) -> SearchResult:
        """Return the search's result, or raise the error that says why there is no front."""
        if not self.generations:
            raise self._no_front()
        values = np.concatenate([generation.values for generation in self.generations])
        front = is_feasible(values, self.algorithm.objectives)
        if not front.any():
            raise self._no_front()
        front[front] = non_dominated(to_minimised(values[front], self.algorithm.objectives))
        return SearchResult(
            genes=np.concatenate([generation.genes for generation in self.generations]),
            values=values,
            generations=np.repeat(range(len(self.generations)), [len(each.genes) for each in self.generations]),
            front=front,
            hypervolumes=[(each.num_evaluations, each.hypervolume) for each in self.generations],
            num_rejected=sum(len(genes) for genes, _ in self.rejected),
        )

    def _no_front(self) -> NasError:
        evaluated = [(generation.genes, generation.values) for generation in self.generations]
        if evaluated and not any(np.isfinite(values).all(axis=1).any() for _, values in evaluated):
            return NasError(f"all {self.num_evaluations} evaluations failed (no finite values): see why the first did")
        genes, values = (np.concatenate(arrays) for arrays in zip(*self.rejected, *evaluated, strict=True))
        objectives = self.algorithm.objectives
        broken = total_violation(values, objectives)
        nearest = int(np.argmin(np.where(broken > 0.0, broken, np.inf)))
        [architecture] = self.algorithm.space.decode(genes[nearest])
        bounds = [f"{each.name} {sign} {bound:g}" for each in objectives for sign, bound in each.bounds()]
        pairs = zip(objectives, values[nearest], strict=True)
        known = [objective.describe(value) for objective, value in pairs if not np.isnan(value)]
        return UsageError(
            f"none of {len(genes)} architectures meets the bounds {', '.join(bounds)}: the nearest, "
            f"{architecture.key}, has {', '.join(known)}: relax the bounds; it is {architecture.to_json()}"
        )


def distinct(genes: Genes) -> Genes:
    """Return the distinct rows, in the order of their first coming."""
    _, first = np.unique(genes, axis=0, return_index=True)
    return genes[np.sort(first)]


def _know_nothing(num_objectives: int) -> Evaluate:
    return lambda genes: np.full((len(genes), num_objectives), np.nan)
