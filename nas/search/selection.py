"""Choosing networks from a front: the knee, the best under a budget, a spread; and how sure an accuracy is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nas.search.objectives import Objective, Values, to_minimised
from nas.search.pareto import Points, non_dominated, normalise
from search_spaces.errors import UsageError, unknown


def knee_point(values: Values, objectives: Sequence[Objective]) -> int:
    """Return the row of the front where giving up more of one objective gains little of the others.

    The point farthest from the hyperplane through the front's extremes towards the ideal point, each objective scaled
    to the front's range: the least sum of scaled objectives; the first of equals. Das, "On Characterizing the 'Knee' of
    the Pareto Curve" (1999).
    """
    return knee_of(to_minimised(values, objectives))


def knee_of(points: Points) -> int:
    """Return the row of ``knee_point`` for minimised points, (n, m)."""
    return int(np.argmin(_to_range(points).sum(axis=1)))


def best_under(values: Values, objectives: Sequence[Objective], name: str, limits: Mapping[str, float]) -> int:
    """Return the row that is best in objective ``name`` within ``limits`` ("best accuracy under 2 ms on T4").

    A limit is the largest value of an objective that is minimised and the least of one that is maximised, in natural
    units. Of equals in ``name``, the first is taken.

    Raises:
        UsageError: an objective is unknown, or no row keeps the limits (the nearest is named).
    """
    limited = [_column(objectives, limit) for limit in limits]
    minimised = to_minimised(values, objectives)
    caps = to_minimised(np.array([[limits.get(each.name, np.nan) for each in objectives]]), objectives)
    excess = np.maximum(minimised - caps, 0.0)[:, limited]
    within = (excess <= 0.0).all(axis=1)
    if not within.any():
        nearest = int(np.argmin((excess / np.maximum(np.abs(caps[:, limited]), 1e-12)).sum(axis=1)))
        asked = ", ".join(objectives[column].describe(limits[objectives[column].name]) for column in limited)
        has = ", ".join(objectives[column].describe(values[nearest, column]) for column in limited)
        raise UsageError(f"none of {len(values)} networks keeps {asked}: the nearest, number {nearest}, has {has}")
    return int(np.argmin(np.where(within, minimised[:, _column(objectives, name)], np.inf)))


def choose(values: Values, objectives: Sequence[Objective], num: int) -> list[int]:
    """Return ``num`` distinct rows of the front (all when it is smaller), the most wanted first.

    First the most accurate, then the fastest (of the first latency; without one, the least of the first cost), then the
    knee, then the best of every further objective; then, again and again, the row farthest from those taken, each
    objective scaled to the front's range.

    Raises:
        UsageError: ``num`` is below 1.
    """
    if num < 1:
        raise UsageError(f"asked to choose {num} networks: give at least 1")
    scaled = _scaled(values, objectives)
    columns = sorted(range(len(objectives)), key=lambda column: _preference(objectives[column]))
    best = [_best_in(scaled, column) for column in columns]
    wanted = list(dict.fromkeys([*best[:2], knee_point(values, objectives), *best[2:]]))[:num]
    while len(wanted) < min(num, len(values)):
        distance = np.linalg.norm(scaled[:, None] - scaled[wanted], axis=2).min(axis=1)
        distance[wanted] = -1.0
        wanted.append(int(np.argmax(distance)))
    return wanted


def choose_kept(
    values: Values,
    objectives: Sequence[Objective],
    feasible: NDArray[np.bool_],
    num: int,
    keeps: Callable[[int], bool],
    most: int,
) -> tuple[list[int], list[int]]:
    """Return (rows chosen as by ``choose``, rows that were chosen first and did not hold).

    A chosen row that ``keeps`` refuses gives way to the front of the others, until all hold. Where none holds, or
    ``most`` rows were looked at, the first choice stands.

    Args:
        values: of all rows, (n, num_objectives) in natural units.
        objectives: theirs.
        feasible: which rows may be chosen, (n,); at least one.
        num: how many to choose.
        keeps: whether a row keeps its bounds when it is measured; asked once a row.
        most: rows to look at.
    """
    first: list[int] = []
    known: dict[int, bool] = {}
    while True:
        left_out = [row for row, kept in known.items() if not kept]
        allowed = feasible.copy()
        allowed[left_out] = False
        rows = np.flatnonzero(allowed)
        if not len(rows):
            return first, []
        rows = rows[non_dominated(to_minimised(values[rows], objectives))]
        picked = [int(rows[place]) for place in choose(values[rows], objectives, num)]
        first = first or picked
        new = [row for row in picked if row not in known]
        if len(known) + len(new) > most:
            return first, []
        known.update({row: keeps(row) for row in new})
        if all(known[row] for row in picked):
            return picked, left_out


def accuracy_interval(
    correct: NDArray[np.bool_], seed: int, confidence: float = 0.95, num_resamples: int = 10_000
) -> tuple[float, float]:
    """Return the bootstrap confidence interval of an accuracy, (low, high) in %.

    Args:
        correct: (num_images,), whether each image was classified right.
        seed: of the resampling.
        confidence: the share of resamples inside.
        num_resamples: how many.

    Percentile bootstrap over images (Efron, 1979).

    Raises:
        UsageError: there is no image, or the confidence is not between 0 and 1.
    """
    if not len(correct):
        raise UsageError("an accuracy's interval needs the correctness of at least 1 image: got 0")
    if not 0 < confidence < 1:
        raise UsageError(f"confidence is {confidence}: allowed: between 0 and 1, such as 0.95")
    # The number right among n images drawn with replacement is exactly binomial: no need to draw the images.
    rng = np.random.default_rng(seed)
    resampled = rng.binomial(len(correct), float(np.mean(correct)), size=num_resamples) / len(correct)
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
    return 100.0 * float(low), 100.0 * float(high)


def _scaled(values: Values, objectives: Sequence[Objective]) -> Points:
    return _to_range(to_minimised(values, objectives))


def _to_range(points: Points) -> Points:
    return normalise(points, points.min(axis=0), points.max(axis=0))


def _best_in(scaled: Points, column: int) -> int:
    # Of equals in this objective, the one that is best in the sum of the others.
    return int(np.lexsort((scaled.sum(axis=1), scaled[:, column]))[0])


def _preference(objective: Objective) -> int:
    return 0 if objective.is_metric else 1 if objective.target else 2


def _column(objectives: Sequence[Objective], name: str) -> int:
    names = [objective.name for objective in objectives]
    if name not in names:
        raise unknown("objective of this front", name, names)
    return names.index(name)
