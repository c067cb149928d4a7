"""How much the hypervolume is expected to grow if a network is evaluated, for many networks at once.

One objective: expected improvement (Jones et al., "Efficient Global Optimization", 1998). Two: the exact expected
hypervolume improvement by strips (Emmerich et al., "Hypervolume-based expected improvement", 2011; here for independent
objectives of any distribution whose shortfall is known). More: the mean over random directions of the expected
improvement of a scalar whose mean is the hypervolume (Zhang and Golovin, "Random Hypervolume Scalarizations", 2020).
All objectives are minimised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nas.search.predictions import Array, Prediction

Rows = NDArray[np.intp]

NUM_DIRECTIONS = 64
NUM_QUANTILES = 8
# A row whose luck of four standard deviations in both objectives is dominated adds nothing that counts.
LUCK = np.array([-4.0])
# Rows that are looked at again, at first, when the front has grown.
SHORTLIST = 256


def hypervolume_improvement(
    predictions: Sequence[Prediction], front: Array, reference: Array, rng: np.random.Generator
) -> Array:
    """Return the expected growth of the hypervolume, (n,).

    Args:
        predictions: of each objective, n networks each.
        front: points that are known, (k, m); k may be 0, and dominated points change nothing.
        reference: (m,), the worst values that count.
        rng: of the directions, where there are more than two objectives.
    """
    if len(predictions) == 1:
        return predictions[0].shortfall(float(min(reference[0], front[:, 0].min(initial=np.inf))))
    if len(predictions) == 2:
        return _two_objectives(predictions, front, reference)
    return _many_objectives(predictions, front, reference, rng)


def choose_batch(improvement: Callable[[Array, Rows], Array], means: Array, front: Array, num: int) -> list[int]:
    """Return the places of up to ``num`` rows, each the best once those before it have their expected values.

    A grown front only takes from a row's improvement, so that rows whose last known one is below the best need not be
    looked at again (Minoux, "Accelerated greedy algorithms", 1978): the answer is that of looking at all of them.
    Ginsbourger et al., "Kriging is well-suited to parallelize optimization" (2010).

    Args:
        improvement: from a front and places of rows to the expected improvement of these rows.
        means: (n, m), the expected values of each row.
        front: (k, m).
        num: how many.
    """
    known = improvement(front, np.arange(len(means)))
    chosen: list[int] = []
    while len(chosen) < min(num, len(means)):
        if chosen:
            known = _renewed(known, improvement, front)
        chosen.append(int(np.argmax(known)))
        front = np.concatenate([front, means[chosen[-1:]]])
        known[chosen[-1]] = -np.inf
    return chosen


def _renewed(known: Array, improvement: Callable[[Array, Rows], Array], front: Array) -> Array:
    """Return ``known`` with the highest values renewed, as many as it takes to be sure of the best."""
    order = np.argsort(-known, kind="stable")
    known, start, num = known.copy(), 0, SHORTLIST
    best = -np.inf
    while start < len(order) and best < known[order[start]]:
        rows = order[start : start + num]
        known[rows] = np.where(np.isneginf(known[rows]), -np.inf, improvement(front, rows))
        best = max(best, float(known[rows].max()))
        start, num = start + num, 4 * num
    return known


def staircase(front: Array, reference: Array) -> Array:
    """Return the non-dominated points of ``front`` (k, 2) that are better than the reference, by first objective."""
    inside = front[(front < reference).all(axis=1)]
    ordered = inside[np.lexsort((inside[:, 1], inside[:, 0]))]
    best = np.minimum.accumulate(np.append(np.inf, ordered[:, 1]))
    return np.asarray(ordered[ordered[:, 1] < best[:-1]])


def _two_objectives(predictions: Sequence[Prediction], front: Array, reference: Array) -> Array:
    """Return the sum over strips of (expected width inside the strip) x (expected height under its top).

    Strip k runs from one point's first objective to the next one's; its top is the second objective of the point at its
    left, or the reference's.
    """
    points = staircase(front, reference)
    ends, tops = np.append(points[:, 0], reference[0]), np.append(reference[1], points[:, 1])
    lucky = [each.quantile(LUCK)[:, 0] for each in predictions]
    strip = np.searchsorted(ends, lucky[0], side="right")
    rows = np.flatnonzero(lucky[1] < np.append(tops, -np.inf)[strip])
    first, second = (each[rows] for each in predictions)
    total, before = np.zeros(len(rows)), np.zeros(len(rows))
    for end, top in zip(ends.tolist(), tops.tolist(), strict=True):
        width = first.shortfall(end)
        total += (width - before) * second.shortfall(top)
        before = width
    found = np.zeros(len(lucky[0]))
    found[rows] = total
    return found


def _many_objectives(
    predictions: Sequence[Prediction], front: Array, reference: Array, rng: np.random.Generator
) -> Array:
    num = len(predictions)
    # Directions are drawn in units of the box between the ideal point and the reference.
    ideal = np.minimum(front.min(axis=0, initial=np.inf), [float(each.mean.min()) for each in predictions])
    width = np.maximum(reference - ideal, 1e-12)
    directions = np.abs(rng.standard_normal((NUM_DIRECTIONS, num)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    best = _scalars((reference - front) / width, directions).max(axis=0, initial=0.0)
    z = rng.standard_normal((NUM_QUANTILES, num))
    total = np.zeros(len(predictions[0]))
    for draw in z:
        values = np.column_stack([each.quantile(at[None])[:, 0] for each, at in zip(predictions, draw, strict=True)])
        total += np.maximum(_scalars((reference - values) / width, directions) - best, 0.0).mean(axis=1)
    return total / NUM_QUANTILES


def _scalars(gains: Array, directions: NDArray[np.float64]) -> Array:
    """Return (n, directions): the length to which each direction is dominated, to the power of the dimension."""
    lengths = np.min(np.maximum(gains, 0.0)[:, None, :] / np.maximum(directions, 1e-9), axis=2)
    return np.asarray(lengths ** gains.shape[1])
