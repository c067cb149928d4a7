"""Rules held against each other at equal cost, and how large a difference so many seeds can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Curve:
    """One rule's networks, the base among them.

    Attributes:
        costs: of each, (networks,), positive.
        accuracies: of each with each seed, (seeds, networks).
    """

    costs: Array
    accuracies: Array

    def at(self, cost: float) -> Array:
        """Return the accuracy of each seed at a cost, (seeds,): between networks linear in the log of the cost.

        NaN where no two networks lie around it: a rule is not read off beyond what it was measured on.
        """
        order = np.argsort(self.costs)
        logs = np.log(self.costs[order])
        return np.array([np.interp(np.log(cost), logs, row[order], np.nan, np.nan) for row in self.accuracies])


def common_costs(curves: Mapping[str, Curve], num_sizes: int) -> list[float]:
    """Return ``num_sizes`` costs that every rule can be read off at, equal steps in logs from base to the largest."""
    largest = min(float(curve.costs.max()) for curve in curves.values())
    base = max(float(curve.costs.min()) for curve in curves.values())
    if largest <= base:
        return []
    return [float(cost) for cost in np.geomspace(base, largest, num_sizes + 1)[1:] * (1 - 1e-12)]


def smallest_difference(accuracies: Array) -> float | None:
    """Return the smallest difference of two means over seeds that is not noise, in the unit of ``accuracies``.

    Two-sided, 95 %: t x s x sqrt(2 / seeds), where s is the deviation that is left when each network's and each seed's
    mean are taken out (seeds are paired: one seed may be better for all), of all networks together. None: of one seed
    or one network nothing can be said.

    Args:
        accuracies: of each seed and network, (seeds, networks).
    """
    from scipy.stats import t

    seeds, networks = accuracies.shape
    freedom = (seeds - 1) * (networks - 1)
    if freedom < 1:
        return None
    left = accuracies - accuracies.mean(0) - accuracies.mean(1, keepdims=True) + accuracies.mean()
    deviation = np.sqrt((left**2).sum() / freedom)
    return float(t.ppf((1 + CONFIDENCE) / 2, freedom) * deviation * np.sqrt(2 / seeds))
