"""Search algorithms against a front that is known: how much of it they find, with how many evaluations.

``nb201``: all accuracies and latencies, from tables. ``ofa``: Once-for-All networks, accuracy from a fit to a table.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
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
NB201_TARGET = "1080ti_256"
SHARE_WANTED = 0.98


@benchmarks.register("search")
def run(
    directory: Path,
    space: str = "nb201",
    accuracy: str = "test_acc_cifar100",
    target: str = "",
    evaluations: str = "50,100,200",
    algorithms: str = "random,nsga2,ehvi",
    seeds: int = 10,
    costs: str = "known",
    together: bool = False,
    latency_samples: int = 0,
    finalists: int = 10,
) -> dict[str, Any]:
    """Compare search algorithms on problems whose front is known: share of its hypervolume found, mean over seeds.

    Args:
        directory: holds nb201/architectures.parquet and latency*.parquet, or ofa/accuracy.parquet.
        space: nb201 (error against latency) or ofa (error against MACs or analytic latency).
        accuracy: column of nb201's table.
        target: separated by commas, devices of nb201 (all: every one; none given: 1080ti_256); of ofa macs (none given)
            and targets such as h100:bf16:b64.
        evaluations: numbers of evaluated networks at which the front is looked at, separated by commas.
        algorithms: names, separated by commas; NAME:N stops after N evaluations, before the others do.
        seeds: runs of each algorithm.
        costs: known (a table or a model gives every network's, as in a study), or evaluated (learnt with the accuracy).
        together: one search for all targets against one search for each.
        latency_samples: above 0: bounds on latency at each device's 25, 50 and 75 % point, where latency is a model of
            so many timed networks, and ``finalists`` may be timed beyond them.
        finalists: networks that may be timed at the end.

    Raises:
        UsageError: a table or a setting that can't be; the message names it.
    """
    from experiments.benchmarks.search_bounds import bound_rows
    from experiments.benchmarks.search_problems import CellTable
    from experiments.benchmarks.search_together import together_rows
    from experiments.machine import machine, versions

    counts = evaluation_counts(evaluations)
    if seeds < 1 or costs not in COSTS:
        raise UsageError(f"seeds is {seeds} and costs is {costs!r}: give 1 seed or more, and {' or '.join(COSTS)}")
    most = _algorithms(algorithms, counts)
    names = list(most)
    if latency_samples and (space != "nb201" or together):
        raise UsageError("latency-samples are of nb201, and not of a search together: leave the other out")
    problems: list[dict[str, Any]] = []
    if latency_samples:
        table = CellTable.read(directory, accuracy, target or NB201_TARGET)
        results = [
            row
            for name in names
            for count in counts
            for row in bound_rows(directory, table, name, count, latency_samples, finalists, seeds)
        ]
    else:
        tasks = _problems(directory, space, accuracy, target)
        problems = [{"target": each.name, **each.limits, **each.facts} for each in tasks]
        results = (
            together_rows(tasks, names, counts, seeds, costs)
            if together
            else [row for each in tasks for row in _rows(each, most, seeds, costs)]
        )
    return {
        "benchmark": "search",
        "space": space,
        "accuracy": accuracy if space == "nb201" else "imagenet_top1",
        "seeds": seeds,
        "costs": costs,
        "problems": problems,
        "results": results,
        "mean": _over_targets(results),
        "machine": machine(),
        "versions": versions(),
    }


MEANS = ("hypervolume_share", "points_lost", "evaluations_to_98_percent")
SUMS = ("violations", "unanswered")


def _over_targets(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of each algorithm and number of evaluations over all targets and bounds."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["algorithm"], row["evaluations"]), []).append(row)
    if all(len(group) == 1 for group in groups.values()):
        return []
    found = []
    for (algorithm, count), group in groups.items():
        means = {key: [row[key] for row in group] for key in MEANS if key in group[0]}
        known = {key: None if None in values else round(float(np.mean(values)), 5) for key, values in means.items()}
        least = {"least_share": min(row["hypervolume_share"] for row in group)} if "share_sd" in group[0] else {}
        sums = {key: sum(row[key] for row in group) for key in SUMS if key in group[0]}
        found.append({"algorithm": algorithm, "evaluations": count, "rows": len(group), **known, **least, **sums})
    return found


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
    from experiments.benchmarks.search_problems import MACS, CellTable, ofa_problems

    if space == "nb201":
        table = CellTable.read(directory, accuracy, target or NB201_TARGET)
        return [table.problem(device) for device in table.latency_ms]
    if space == "ofa":
        return ofa_problems(directory, [name.strip() for name in (target or MACS).split(",")])
    raise unknown("space to search", space, SPACES)


def _algorithms(text: str, counts: Sequence[int]) -> dict[str, list[int]]:
    """Return the numbers of evaluations at which each algorithm that ``text`` names is looked at."""
    from nas.search.algorithm import algorithms

    found: dict[str, list[int]] = {}
    parts = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    for name, colon, most in parts:
        algorithms.get(name)
        if colon and not (most.isdigit() and int(most) >= counts[0]):
            raise UsageError(f"algorithms got {name}:{most}: give a whole number of evaluations from {counts[0]}")
        found[name] = [count for count in counts if not colon or count <= int(most)]
    if not found or len(found) < len(parts):
        raise UsageError(f"algorithms got {text!r}: name at least one of {', '.join(algorithms.names())}, each once")
    return found


def _rows(problem: SearchProblem, most: Mapping[str, Sequence[int]], seeds: int, costs: str) -> list[dict[str, Any]]:
    """Return one row for each algorithm and number of evaluations."""
    rows: list[dict[str, Any]] = []
    for name, counts in most.items():
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
