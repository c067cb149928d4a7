"""How well predictions meet what was measured: the figures that a report shows beside a predictor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Half width of the central 90 % of a normal distribution, in standard deviations.
HALF_WIDTH_90 = 1.6449


@dataclass(frozen=True, eq=False)
class Validation:
    """Values that were measured and what was predicted for them, each (n,), in one unit."""

    actual: Array
    predicted: Array
    deviation: Array

    @property
    def errors(self) -> Array:
        """Predicted minus actual."""
        return self.predicted - self.actual

    @property
    def root_mean_square_error(self) -> float:
        """In the unit of the values."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def median_relative_error(self) -> float:
        """Median of |predicted / actual - 1|."""
        return float(np.median(np.abs(self.errors / self.actual)))

    @property
    def coverage_90(self) -> float:
        """The share of actual values inside the predicted central 90 % interval."""
        return float(np.mean(np.abs(self.errors) <= HALF_WIDTH_90 * self.deviation))

    @property
    def kendall_tau(self) -> float:
        """Kendall's tau-b of the two orders; NaN when either is constant."""
        from scipy.stats import kendalltau

        return float(kendalltau(self.actual, self.predicted).statistic)

    @property
    def spearman(self) -> float:
        """Spearman's correlation of the two orders; NaN when either is constant."""
        if np.ptp(self.actual) == 0 or np.ptp(self.predicted) == 0:
            return float("nan")
        from scipy.stats import spearmanr

        return float(spearmanr(self.actual, self.predicted).statistic)
