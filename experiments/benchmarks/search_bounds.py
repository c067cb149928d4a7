"""Searches under a bound on latency that only a model of a few timed networks knows, held against the whole table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from experiments.benchmarks.latency import Task
    from experiments.benchmarks.search_problems import CellTable, SearchProblem
    from nas.search.finalists import Finalists
    from nas.search.objectives import Values
    from search_spaces.space import Genes

Array = NDArray[np.float64]

PERCENTS = (25, 50, 75)
SAMPLER = "best"
# The search counts a network as so many standard deviations slower than its expected latency: at the bound itself every
# second evaluation would be of a network that breaks it.
CAUTION = 0.5


class TimedFew:
    """The latency of every cell on one device, as a model of a few timed ones has it; other devices are its sources."""

    def __init__(self, task: Task, target: str, sources: list[str], samples: int, seed: int) -> None:
        from predictors.sampling import choose

        self._task, self._actual = task, task.latency_ms[target]
        self._prior = task.calibrated_prior(sources, SAMPLER, samples)
        self._timed = choose(SAMPLER, self._prior, self._prior.encoding(task.inputs), samples, seed)

    def predict(self, more: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds of all cells, those of ``more`` timed too."""
        from predictors.latency import LatencyModel

        timed = np.union1d(self._timed, more).astype(np.intp)
        model = LatencyModel.fit_prior(self._prior, self._task.rows(timed), self._actual[timed])
        return model.predict_inputs(self._task.inputs)


def bound_rows(
    directory: Path, table: CellTable, algorithm: str, evaluations: int, samples: int, finalists: int, seeds: int
) -> list[dict[str, Any]]:
    """Return one row for each device and bound (its 25, 50 and 75 % point): points lost and bounds broken, over seeds.

    ``violations`` counts runs whose choice is above the bound, ``unanswered`` those that chose nothing.
    """
    from experiments.benchmarks.latency import OTHERS, read_task

    rows = []
    for target in table.latency_ms:
        task, [(_, sources)] = read_task(directory, "nb201", target, OTHERS)
        problem = table.problem(target)
        models = [TimedFew(task, target, sources, samples, seed) for seed in range(seeds)]
        for percent in PERCENTS:
            name = f"q{percent}"
            runs = [
                _run(table, problem, model, name, algorithm, evaluations, finalists, seed)
                for seed, model in enumerate(models)
            ]
            lost = [run["lost"] for run in runs if run["lost"] is not None]
            rows.append(
                {
                    "target": target,
                    "bound": name,
                    "upper_ms": round(problem.limits[name], 4),
                    "algorithm": algorithm,
                    "evaluations": evaluations,
                    "latency_samples": samples,
                    "points_lost": round(float(np.mean(lost)), 3) if lost else None,
                    "most_points_lost": round(max(lost), 3) if lost else None,
                    "finalists_timed": round(float(np.mean([run["timed"] for run in runs])), 1),
                    "violations": sum(run["violation"] for run in runs),
                    "unanswered": len(runs) - len(lost),
                }
            )
    return rows


def _run(
    table: CellTable,
    problem: SearchProblem,
    model: TimedFew,
    limit: str,
    algorithm: str,
    evaluations: int,
    finalists: int,
    seed: int,
) -> dict[str, Any]:
    """Return what one search lost to the exact best under the bound."""
    from nas.search.finalists import choose_within

    upper_ms = problem.limits[limit]
    genes, accuracy = _search(table, problem, model, upper_ms, algorithm, evaluations, seed)
    rows = table.rows(genes)
    actual = problem.cost(genes)

    def predict(measured: Mapping[int, float]) -> tuple[Array, Array]:
        mean_ms, deviation_ms = model.predict(rows[list(measured)])
        return mean_ms[rows], deviation_ms[rows]

    found: Finalists = choose_within(accuracy, upper_ms, predict, lambda row: float(actual[row]), finalists)
    chosen = found.chosen
    return {
        "lost": None if chosen is None else problem.best_under[limit] - float(accuracy[chosen]),
        "violation": chosen is not None and bool(actual[chosen] > upper_ms),
        "timed": len(found.measured_ms),
    }


def _search(
    table: CellTable,
    problem: SearchProblem,
    model: TimedFew,
    upper_ms: float,
    algorithm: str,
    evaluations: int,
    seed: int,
) -> tuple[Genes, Array]:
    """Return the networks that a search evaluates and their accuracies; latencies are predicted, with some caution."""
    from dataclasses import replace

    from nas.search.algorithm import algorithms
    from nas.search.search import run_search

    mean_ms, deviation_ms = model.predict(np.array([], dtype=np.intp))
    cautious_ms = mean_ms + CAUTION * deviation_ms
    objectives = (problem.objectives[0], replace(problem.objectives[1], upper=upper_ms))

    def cheap(genes: Genes) -> Values:
        return np.column_stack([np.full(len(genes), np.nan), cautious_ms[table.rows(genes)]])

    def evaluate(genes: Genes) -> Values:
        return np.column_stack([table.accuracy[table.rows(genes)], cautious_ms[table.rows(genes)]])

    kind = algorithms.get(algorithm)
    settings = {"optimise": "accuracy"} if "optimise" in kind.Settings.model_fields else {}
    found = kind(table.space, objectives, kind.Settings(**settings), seed)
    result = run_search(found, evaluate, evaluations, problem.box, evaluate_cheap=cheap)
    return result.genes, result.values[:, 0]
