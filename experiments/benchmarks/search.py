"""Search algorithms against a front that is known: how much of it they find, with how many evaluations.

``nb201``: all accuracies and latencies, from tables. ``ofa``: Once-for-All networks, accuracy from a fit to a table.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    from experiments.benchmarks.search_problems import SearchProblem
    from nas.search.algorithm import Evaluate, SearchAlgorithm
    from nas.search.objectives import Values

SPACES = ("nb201", "ofa")
COSTS = ("evaluated", "known")
SHARE_WANTED = 0.98


@benchmarks.register("search")
def run(
    directory: Path,
    space: str = "nb201",
    accuracy: str = "test_acc_cifar100",
    target: str = "1080ti_256",
    evaluations: str = "50,100,200",
    algorithms: str = "random,nsga2,ehvi",
    seeds: int = 10,
    costs: str = "evaluated",
) -> dict[str, Any]:
    """Compare search algorithms on problems whose front is known: share of its hypervolume found, mean over seeds.

    Args:
        directory: holds nb201/architectures.parquet and latency*.parquet, or ofa/accuracy.parquet.
        space: nb201 (error against latency) or ofa (error against MACs).
        accuracy: column of nb201's table.
        target: devices of nb201, separated by commas; all: every one.
        evaluations: numbers of evaluated networks at which the front is looked at, separated by commas.
        algorithms: names, separated by commas.
        seeds: runs of each algorithm.
        costs: evaluated (a network's cost is learnt when its accuracy is), or known (free for every network).

    Raises:
        UsageError: a table or a setting that can't be; the message names it.
    """
    from experiments.machine import machine, versions

    counts = evaluation_counts(evaluations)
    if seeds < 1 or costs not in COSTS:
        raise UsageError(f"seeds is {seeds} and costs is {costs!r}: give 1 seed or more, and {' or '.join(COSTS)}")
    names = _algorithm_names(algorithms)
    found = [
        row
        for problem in _problems(directory, space, accuracy, target)
        for row in _rows(problem, names, counts, seeds, costs)
    ]
    return {
        "benchmark": "search",
        "space": space,
        "accuracy": accuracy if space == "nb201" else "imagenet_top1",
        "seeds": seeds,
        "costs": costs,
        "problems": [row["problem"] for row in found if "problem" in row],
        "results": [row for row in found if "problem" not in row],
        "machine": machine(),
        "versions": versions(),
    }


def evaluation_counts(text: str) -> list[int]:
    """Return the numbers of a comma-separated list, ascending.

    Raises:
        UsageError: something else than whole numbers of at least 1.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"evaluations got {text!r}: give whole numbers from 1, separated by commas, such as 50,100")
    return sorted(set(map(int, parts)))


def search_once(
    problem: SearchProblem, name: str, budget: int, seed: int, costs: str, **settings: Any
) -> tuple[Values, float]:
    """Return the values of what one search evaluated, in order, and its seconds."""
    from nas.search.algorithm import algorithms
    from nas.search.search import run_search

    kind = algorithms.get(name)
    algorithm: SearchAlgorithm = kind(problem.space, problem.objectives, kind.Settings(**settings), seed)
    cheap: Evaluate | None = None
    if costs == "known":

        def cheap(genes: Any) -> Values:
            return np.column_stack([np.full(len(genes), np.nan), problem.cost(genes)])

    start = time.perf_counter()
    result = run_search(algorithm, problem.evaluate, budget, problem.box, evaluate_cheap=cheap)
    return result.values, time.perf_counter() - start


def _problems(directory: Path, space: str, accuracy: str, target: str) -> list[SearchProblem]:
    from experiments.benchmarks.search_problems import CellTable, ofa_problem

    if space == "nb201":
        table = CellTable.read(directory, accuracy, target)
        return [table.problem(device) for device in table.latency_ms]
    if space == "ofa":
        return [ofa_problem(directory)]
    raise unknown("space to search", space, SPACES)


def _algorithm_names(text: str) -> list[str]:
    from nas.search.algorithm import algorithms

    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        algorithms.get(name)
    if not names or len(set(names)) < len(names):
        raise UsageError(f"algorithms got {text!r}: name at least one of {', '.join(algorithms.names())}, each once")
    return names


def _rows(
    problem: SearchProblem, names: Sequence[str], counts: Sequence[int], seeds: int, costs: str
) -> list[dict[str, Any]]:
    """Return the problem's facts, then one row for each algorithm and number of evaluations."""
    rows: list[dict[str, Any]] = [{"problem": {"target": problem.name, **problem.limits, **problem.facts}}]
    for name in names:
        runs = [search_once(problem, name, counts[-1], seed, costs) for seed in range(seeds)]
        needed = [evaluations_needed(problem, values) for values, _ in runs]
        for count in counts:
            shares = np.array([problem.share(values[:count]) for values, _ in runs])
            rows.append(
                {
                    "target": problem.name,
                    "algorithm": name,
                    "evaluations": count,
                    "hypervolume_share": round(float(shares.mean()), 5),
                    "share_sd": round(float(shares.std()), 5),
                    **_gap_columns(problem, [values[:count] for values, _ in runs]),
                    "evaluations_to_98_percent": _median_or_none(needed),
                    "seconds": round(float(np.median([seconds for _, seconds in runs])), 2),
                }
            )
    return rows


def _gap_columns(problem: SearchProblem, runs: Sequence[Values]) -> dict[str, float | int]:
    """Return the mean points lost under each limit, and how often no evaluated network kept one."""
    gaps = [problem.gaps(values) for values in runs]
    columns: dict[str, float | int] = {}
    for limit in problem.limits:
        kept = [each[limit] for each in gaps if not np.isnan(each[limit])]
        columns[f"points_lost_{limit}"] = round(float(np.mean(kept)), 3) if kept else float("nan")
    missed = sum(int(np.isnan(gap)) for each in gaps for gap in each.values())
    return {**columns, "limits_missed": missed} if problem.limits else {}


def evaluations_needed(problem: SearchProblem, values: Values) -> int | None:
    """Return after how many evaluations 98 % of the true hypervolume was reached; None: it was not."""
    low, high = 1, len(values)
    if problem.share(values) < SHARE_WANTED:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if problem.share(values[:middle]) >= SHARE_WANTED else (middle + 1, high)
    return low


def _median_or_none(needed: Sequence[int | None]) -> float | None:
    """Return the median over seeds, those that never arrived counting as infinite; None where that is infinite."""
    median = float(np.median([np.inf if each is None else each for each in needed]))
    return median if np.isfinite(median) else None
