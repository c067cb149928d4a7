"""Fronts and hypervolumes of minimised points, over moocore.

All points are (n, m), less is better in every column. Two rules hold throughout:
NaN is dominated (a row with one is never on a front and adds no volume), and equal points do not dominate each other
(every copy of a non-dominated point is on the front, so that no mask depends on the order of rows).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import UsageError

Points = NDArray[np.float64]


def non_dominated(points: Points) -> NDArray[np.bool_]:
    """Return which points no other point dominates, (n,)."""
    import moocore

    points = np.asarray(points, dtype=np.float64)
    known = ~np.isnan(points).any(axis=1)
    mask = np.zeros(len(points), dtype=bool)
    if known.any():
        # Dominance is a matter of order alone. Ranks stand in for values, since moocore 0.3.2 takes a point with an
        # infinite coordinate for dominated where none dominates it.
        ranks = [np.unique(column, return_inverse=True)[1] for column in points[known].T]
        mask[known] = moocore.is_nondominated(np.stack(ranks, axis=1), keep_weakly=True)
    return mask


def hypervolume(points: Points, reference: Points) -> float:
    """Return the volume that ``points`` dominate up to ``reference`` (m,), in the product of the units.

    Points that are not better than the reference in every column add nothing; without any the volume is 0. Zitzler and
    Thiele, "Multiobjective Optimization Using Evolutionary Algorithms" (PPSN 1998).

    Raises:
        UsageError: a coordinate of the reference is not finite.
    """
    import moocore

    points, reference = np.asarray(points, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if not np.isfinite(reference).all():
        raise UsageError(f"the hypervolume's reference point is {reference.tolist()}: give finite numbers")
    inside = points[(points < reference).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=reference)) if len(inside) else 0.0


def normalise(points: Points, ideal: Points, nadir: Points) -> Points:
    """Return ``points`` with ``ideal`` at 0 and ``nadir`` at 1; a column where the two agree keeps its unit."""
    ideal, width = np.asarray(ideal, dtype=np.float64), np.asarray(nadir, dtype=np.float64) - ideal
    return (np.asarray(points, dtype=np.float64) - ideal) / np.where(width == 0.0, 1.0, width)
