"""The latency of every network of a space on one target, learnt from networks that were timed there.

A Gaussian process with linear kernels over structural features and one-hot choices (a Bayesian linear model: in eager
mode latency is nearly a sum over operators) and an RBF kernel over the features for what does not add up. Milliseconds
are fitted as they are: on public GPU tables that halves the error of fitting logarithms.

On those tables (20 samples, all other networks predicted) Spearman's correlation is 0.97-1.00 for NAS-Bench-201 on
seven GPU settings; for Once-for-All 0.98-0.99 at batch 32-64 and 0.71-0.78 where launches and noise decide (batch 1,
and one card at 32).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from predictors.gaussian_process import GaussianProcess
from predictors.kernels import Array, Kernel
from predictors.samples import as_inputs, check_samples
from predictors.validation import Validation

MIN_SAMPLES = 5
KERNELS = (Kernel("linear", "features"), Kernel("linear", "one_hot", -3.0), Kernel("rbf", "features", -1.0))


class LatencyModel:
    """A fitted latency model of one target; its predictions are labelled ``predicted``, never ``measured``."""

    def __init__(self, process: GaussianProcess) -> None:
        self.process = process

    @classmethod
    def fit(cls, features: ArrayLike, one_hot: ArrayLike, latency_ms: ArrayLike) -> LatencyModel:
        """Return the model of these measurements; the same measurements give the same model.

        Args:
            features: (n, d), as ``predictors.features.latency_features``.
            one_hot: (n, m), as ``SearchSpace.one_hot``: absent choices all zero.
            latency_ms: measured medians in milliseconds, (n,).

        Raises:
            UsageError: fewer than five samples, values that are no latencies, or a network that stands twice.
        """
        given = {"features": features, "one_hot": one_hot}
        inputs, values = check_samples(given, "latency_ms", latency_ms, MIN_SAMPLES, positive=True)
        return cls(GaussianProcess.fit(KERNELS, ["features"], inputs, values))

    def predict(self, features: ArrayLike, one_hot: ArrayLike) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,), of a whole population at once."""
        mean, deviation = self.process.predict(as_inputs({"features": features, "one_hot": one_hot}))
        return self._positive(mean), deviation

    def leave_one_out(self) -> Validation:
        """Return each measured network predicted from the others."""
        found = self.process.leave_one_out()
        return Validation(found.actual, self._positive(found.predicted), found.deviation)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, the inverse of ``from_dict``."""
        return self.process.to_dict()

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> LatencyModel:
        """Return the model of ``to_dict``'s data."""
        return cls(GaussianProcess.from_dict(content))

    def _positive(self, mean: Array) -> Array:
        """Return ``mean`` with an exponential tail below half the least measurement: above zero, the order kept."""
        knee = 0.5 * float(self.process.values.min())
        return np.where(mean >= knee, mean, knee * np.exp(np.minimum(mean - knee, 0.0) / knee))
