"""One search for several targets against one search for each: how many evaluations the same fronts cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from experiments.benchmarks.search_problems import SearchProblem
    from nas.search.objectives import Values
    from search_spaces.space import Genes

Array = NDArray[np.float64]
# The search together goes on for so much longer than those alone, to see where it reaches them.
LONGER = 1.5


def together_rows(
    problems: Sequence[SearchProblem], names: Sequence[str], counts: Sequence[int], seeds: int, costs: str
) -> list[dict[str, Any]]:
    """Return one row for each algorithm and number of evaluations of one target; ``problems`` differ in cost alone.

    ``alone`` is the mean share over targets and seeds of searches for each target, ``together`` that of one search for
    all with the same evaluations; ``ratio`` how many times these evaluations the search together needs to reach
    ``alone``, None where it does not within 1.5 times.
    """
    from experiments.benchmarks.search import search_once

    rows = []
    for name in names:
        start = time.perf_counter()
        budget = int(np.ceil(LONGER * counts[-1]))
        alone = [
            [search_once(problem, name, counts[-1], seed, costs)[0] for problem in problems] for seed in range(seeds)
        ]
        together = [_search_together(problems, name, budget, seed, costs) for seed in range(seeds)]
        seconds = time.perf_counter() - start
        for count in counts:
            one = _mean_share(problems, [[values[:count] for values in run] for run in alone])
            needed = _needed(problems, together, one, budget)
            rows.append(
                {
                    "algorithm": name,
                    "targets": len(problems),
                    "evaluations": count,
                    "alone": round(one, 5),
                    "together": round(_together_share(problems, together, count), 5),
                    "together_at_1.3": round(_together_share(problems, together, int(1.3 * count)), 5),
                    "evaluations_together": needed,
                    "ratio": None if needed is None else round(needed / count, 3),
                    "seconds": round(seconds, 1),
                }
            )
    return rows


def _search_together(problems: Sequence[SearchProblem], name: str, budget: int, seed: int, costs: str) -> Values:
    """Return accuracy and the latency on every target of what one search evaluates, (budget, 1 + targets)."""
    from nas.search.algorithm import algorithms
    from nas.search.objectives import fronts_of
    from nas.search.search import HypervolumeBox, run_search

    objectives = (problems[0].objectives[0], *(problem.objectives[1] for problem in problems))
    box = HypervolumeBox(
        objectives,
        (problems[0].box.ideal[0], *(problem.box.ideal[1] for problem in problems)),
        (problems[0].box.reference[0], *(problem.box.reference[1] for problem in problems)),
        tuple(tuple(front) for front in fronts_of(objectives)),
    )

    def latencies(genes: Genes) -> list[Array]:
        return [problem.cost(genes) for problem in problems]

    def evaluate(genes: Genes) -> Values:
        return np.column_stack([problems[0].evaluate(genes)[:, 0], *latencies(genes)])

    def cheap(genes: Genes) -> Values:
        return np.column_stack([np.full(len(genes), np.nan), *latencies(genes)])

    kind = algorithms.get(name)
    algorithm = kind(problems[0].space, objectives, kind.Settings(), seed)
    return run_search(algorithm, evaluate, budget, box, evaluate_cheap=cheap if costs == "known" else None).values


def _mean_share(problems: Sequence[SearchProblem], runs: Sequence[Sequence[Values]]) -> float:
    shares = [[problem.share(values) for problem, values in zip(problems, run, strict=True)] for run in runs]
    return float(np.mean(shares))


def _together_share(problems: Sequence[SearchProblem], runs: Sequence[Values], count: int) -> float:
    return _mean_share(problems, [[run[:count, [0, 1 + i]] for i in range(len(problems))] for run in runs])


def _needed(problems: Sequence[SearchProblem], runs: Sequence[Values], wanted: float, budget: int) -> int | None:
    """Return the least number of evaluations at which the searches together reach ``wanted``: shares never fall."""
    low, high = 1, budget
    if _together_share(problems, runs, budget) < wanted:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _together_share(problems, runs, middle) >= wanted else (middle + 1, high)
    return low
