"""Scores of AGE-MOEA's survivors: how near to the ideal point and how far from each other, in the front's own geometry.

Panichella, "An adaptive evolutionary algorithm based on non-euclidean geometry for many-objective optimization" (GECCO
2019): the first front is taken for a part of a sphere in an L_p norm, whose p is estimated from the front's middle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.search.pareto import Points

SMALLEST = 1e-8
# Beyond these the norm is a minimum or a maximum, and its powers leave float64.
LEAST_P, MOST_P = 0.1, 20.0


def survival_scores(points: Points, ranks: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return a score for each point, more is better among points of one rank, (n,).

    Args:
        points: minimised, (n, m).
        ranks: the number of the front of each, 0 the non-dominated; at least one is 0.

    The first front's scores are of diversity over proximity; its extremes are infinite. Others' are 1 / proximity.
    """
    first = ranks == 0
    ideal = points[first].min(axis=0)
    shifted = points - ideal
    extremes = extreme_points(shifted[first])
    scaled = shifted / intercepts(shifted[first], extremes)
    p = geometry(scaled[first], extremes)
    scores = np.zeros(len(points))
    scores[~first] = 1.0 / np.maximum(_norms(scaled[~first], p), SMALLEST)
    scores[first] = diversity(scaled[first], extremes, p)
    return scores


def extreme_points(front: Points) -> NDArray[np.intp]:
    """Return the places of the points nearest to each axis, each taken once, (at most m,)."""
    num, dimensions = front.shape
    if num <= dimensions:
        return np.arange(num)
    found: list[int] = []
    for axis in range(dimensions):
        away = np.delete(front, axis, axis=1)
        distance = np.linalg.norm(away, axis=1)
        distance[found] = np.inf
        found.append(int(np.argmin(distance)))
    return np.array(found, dtype=np.intp)


def intercepts(front: Points, extremes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return where the plane through the extremes meets each axis, (m,); the front's range where there is no plane."""
    widest: Points = np.maximum(front.max(axis=0), SMALLEST)
    if len(extremes) < front.shape[1]:
        return widest
    try:
        plane = np.linalg.solve(front[extremes], np.ones(len(extremes)))
    except np.linalg.LinAlgError:
        return widest
    return np.asarray(1.0 / plane) if (np.isfinite(plane) & (plane > SMALLEST)).all() else widest


def geometry(front: Points, extremes: NDArray[np.intp]) -> float:
    """Return the p of the norm in which the front's middle point is as far from the ideal as its extremes: 1."""
    dimensions = front.shape[1]
    if len(front) <= len(extremes) or dimensions == 1:
        return 1.0
    along = front.mean(axis=1, keepdims=True)
    distance = np.linalg.norm(front - along, axis=1)
    distance[extremes] = np.inf
    mean = float(along[np.argmin(distance), 0])
    if not 0.0 < mean < 1.0:
        return 1.0
    p = float(np.log(dimensions) / -np.log(mean))
    return min(p, MOST_P) if p > LEAST_P else 1.0


def diversity(front: Points, extremes: NDArray[np.intp], p: float) -> NDArray[np.float64]:
    """Return the score of each point of the first front, (n,): points are taken one by one, the farthest first.

    A point's score is the sum of its distances to the two nearest points taken before it, over its own norm.
    """
    scores = np.zeros(len(front))
    scores[extremes] = np.inf
    steps = np.abs(front[:, None] - front[None])
    distances = np.maximum((steps**p).sum(axis=2) ** (1.0 / p), SMALLEST) / np.maximum(_norms(front, p), SMALLEST)
    taken = list(extremes)
    left = np.setdiff1d(np.arange(len(front)), extremes)
    while len(left):
        nearest = np.sort(distances[np.ix_(taken, left)], axis=0)[:2].sum(axis=0)
        best = int(np.argmax(nearest))
        scores[left[best]] = nearest[best]
        taken.append(int(left[best]))
        left = np.delete(left, best)
    return scores


def _norms(points: Points, p: float) -> NDArray[np.float64]:
    return np.asarray((np.abs(points) ** p).sum(axis=1) ** (1.0 / p))
