"""What is thought of the value of one minimised objective in many networks: normal, log-normal or exactly known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Below this standard deviation a value is taken as known.
EXACT = 1e-12


@dataclass(frozen=True)
class Prediction:
    """One distribution for each network.

    Attributes:
        location: mean of the value, or of its logarithm, (n,).
        deviation: standard deviation of the same; 0 is exactly known, (n,).
        is_log: whether the logarithm is normal.
    """

    location: Array
    deviation: Array
    is_log: bool = False

    def __len__(self) -> int:
        return len(self.location)

    def __getitem__(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Prediction:
        return Prediction(self.location[rows], self.deviation[rows], self.is_log)

    @property
    def mean(self) -> Array:
        """The expected value of each network, (n,)."""
        if not self.is_log:
            return self.location
        return np.asarray(np.exp(self.location + 0.5 * self.deviation**2))

    def shortfall(self, threshold: float) -> Array:
        """Return E[max(threshold - value, 0)] of each network, (n,).

        For a log-normal value this is the Black-Scholes price of a put without interest.
        """
        from scipy.special import ndtr

        if self.is_log and threshold <= 0:
            return np.zeros(len(self))
        deviation = np.maximum(self.deviation, EXACT)
        level = float(np.log(threshold)) if self.is_log else threshold
        z = (level - self.location) / deviation
        if self.is_log:
            return np.asarray(np.maximum(threshold * ndtr(z) - self.mean * ndtr(z - deviation), 0.0))
        density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
        return np.asarray(np.maximum((threshold - self.location) * ndtr(z) + deviation * density, 0.0))

    def probability_below(self, threshold: float) -> Array:
        """Return how probable a value of at most ``threshold`` is, (n,)."""
        from scipy.special import ndtr

        if self.is_log and threshold <= 0:
            return np.zeros(len(self))
        level = float(np.log(threshold)) if self.is_log else threshold
        known = self.deviation <= EXACT
        below = ndtr((level - self.location) / np.maximum(self.deviation, EXACT))
        return np.where(known, (self.location <= level).astype(np.float64), below)

    def quantile(self, z: Array) -> Array:
        """Return the values at ``z`` (s,) standard deviations from the location, (n, s)."""
        values = self.location[:, None] + self.deviation[:, None] * z
        return np.asarray(np.exp(values) if self.is_log else values)
