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
    from nas.search.objectives import Values
    from search_spaces.space import Genes

Array = NDArray[np.float64]

PERCENTS = (25, 50, 75)
SAMPLER = "best"
# A search in rounds: after each some of the finalists are timed, the model learns from them, and the search goes on.
ROUNDS = 4
# A round counts a network as so many standard deviations faster than expected: the best one under a bound lies at it,
# where every second network is faster than expected, and what is timed tells these from the others.
HOPE = 0.5


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
    """Return what one search in rounds lost to the exact best under the bound."""
    from nas.search.finalists import Finalists, choose_within

    upper_ms, actual_ms = problem.limits[limit], table.latency_ms[problem.name]
    rounds = min(ROUNDS, evaluations)
    budgets = np.diff(np.linspace(0, evaluations, rounds + 1).astype(int)).tolist()
    # The last round may time as many as two others.
    early = finalists // (rounds + 1)
    accuracy = np.full(len(table.accuracy), np.nan)
    genes, found = table.genes[:0], Finalists(None, {})

    def predict(timed: Mapping[int, float]) -> tuple[Array, Array]:
        return model.predict(np.array(list(timed), dtype=np.intp))

    for number, budget in enumerate(budgets):
        mean_ms, deviation_ms = predict(found.measured_ms)
        hoped_ms = mean_ms - HOPE * deviation_ms
        hoped_ms[list(found.measured_ms)] = list(found.measured_ms.values())
        genes = _search(table, problem, hoped_ms, upper_ms, algorithm, genes, budget, rounds * seed + number)
        rows = table.rows(genes)
        accuracy[rows] = table.accuracy[rows]
        may_time = finalists - early * (rounds - 1) if number == rounds - 1 else early
        if may_time:
            found = choose_within(
                accuracy, upper_ms, predict, lambda row: float(actual_ms[row]), may_time, found.measured_ms
            )
    chosen = found.chosen
    return {
        "lost": None if chosen is None else problem.best_under[limit] - float(table.accuracy[chosen]),
        "violation": chosen is not None and bool(actual_ms[chosen] > upper_ms),
        "timed": len(found.measured_ms),
    }


def _search(
    table: CellTable,
    problem: SearchProblem,
    latency_ms: Array,
    upper_ms: float,
    algorithm: str,
    known: Genes,
    budget: int,
    seed: int,
) -> Genes:
    """Return the evaluated networks, ``known`` and up to ``budget`` others, where latencies are thought to be these."""
    from dataclasses import replace

    from nas.search.algorithm import algorithms
    from nas.search.search import run_search

    objectives = (problem.objectives[0], replace(problem.objectives[1], upper=upper_ms))
    within = known[latency_ms[table.rows(known)] <= upper_ms]

    def cheap(genes: Genes) -> Values:
        return np.column_stack([np.full(len(genes), np.nan), latency_ms[table.rows(genes)]])

    def evaluate(genes: Genes) -> Values:
        return np.column_stack([table.accuracy[table.rows(genes)], latency_ms[table.rows(genes)]])

    kind = algorithms.get(algorithm)
    settings = {"optimise": "accuracy"} if "optimise" in kind.Settings.model_fields else {}
    found = kind(table.space, objectives, kind.Settings(**settings), seed)
    start = within if len(within) else None
    result = run_search(found, evaluate, len(within) + budget, problem.box, evaluate_cheap=cheap, start=start)
    new = ~np.isin(table.rows(result.genes), table.rows(known))
    return np.concatenate([known, result.genes[new]])
