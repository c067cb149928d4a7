"""The latency of every network of a space on one target, learnt from networks that were timed there.

A Bayesian average over linear models (``predictors.hypotheses``, ``predictors.model_average``): latency is nearly a sum
over operators, and which totals matter (launches, MACs, bytes) differs by device. From three measurements on it says
something; sources, other devices with long tables, sharpen what it expects. Milliseconds are fitted as they are: on
public tables that halves the error of fitting logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from predictors.encoding import Encoding, Group
from predictors.hypotheses import Hypotheses, SourcePrior, hypotheses
from predictors.intervals import scale_of, upper_factor
from predictors.kernels import Array
from predictors.model_average import LinearPosterior, average
from predictors.samples import as_inputs, check_samples
from predictors.sources import source_prior
from predictors.validation import Validation
from search_spaces.errors import UsageError

MIN_SAMPLES = 3
# By how much deviations fall short where no devices tell: over 32 devices of three public spaces, 20 networks each.
DEVIATION_FACTOR = 1.15
FEATURES = Group("features", trend=True)
ONE_HOT = Group("one_hot", -2.0, standardise=False)


@dataclass(frozen=True)
class LatencyPrior:
    """What is known of a space, and of other devices, before a target is measured; made once, used for many targets.

    Attributes:
        encoding: of the columns.
        hypotheses: what may be true of a device.
        sources: what other devices tell, if any.
        deviation_factor: of the deviations of new networks (``predictors.pseudo_targets``).
    """

    encoding: Encoding
    hypotheses: Hypotheses
    sources: SourcePrior | None = None
    deviation_factor: float = 1.0

    @classmethod
    def of(
        cls,
        groups: Sequence[Group],
        population: Mapping[str, ArrayLike],
        sources_ms: Mapping[str, ArrayLike] | None = None,
    ) -> LatencyPrior:
        """Return the prior of a space.

        Args:
            groups: the groups of columns.
            population: matrices of (n, d) by group: networks that stand for the space, those of ``sources_ms``.
            sources_ms: device -> latencies of the population there, (n,); at least 50 networks.

        Raises:
            UsageError: matrices or latencies that can't be.
        """
        inputs = as_inputs({group.name: population[group.name] for group in groups})
        encoding = Encoding.of(groups, inputs)
        rows = encoding(inputs)
        sources = source_prior(rows, sources_ms) if sources_ms else None
        return cls(encoding, hypotheses(encoding, rows, sources), sources, DEVIATION_FACTOR)


class LatencyModel:
    """A fitted latency model of one target; its predictions are labelled ``predicted``, never ``measured``."""

    def __init__(self, encoding: Encoding, posterior: LinearPosterior, check: Validation) -> None:
        self.encoding, self.posterior, self._check = encoding, posterior, check

    @classmethod
    def fit(
        cls,
        features: ArrayLike,
        one_hot: ArrayLike,
        latency_ms: ArrayLike,
        population: Mapping[str, ArrayLike] | None = None,
    ) -> LatencyModel:
        """Return the model of these measurements; the same measurements give the same model.

        Args:
            features: (n, d), as ``predictors.features.latency_features``.
            one_hot: (n, m), as ``SearchSpace.one_hot``: absent choices all zero.
            latency_ms: measured medians in milliseconds, (n,).
            population: ``features`` and ``one_hot`` of networks that stand for the space; without it, the samples.

        Raises:
            UsageError: fewer than three samples, values that are no latencies, or a network that stands twice.
        """
        given = {"features": features, "one_hot": one_hot}
        inputs, values = check_samples(given, "latency_ms", latency_ms, MIN_SAMPLES, positive=True)
        return cls._of(LatencyPrior.of((FEATURES, ONE_HOT), population or inputs), inputs, values)

    @classmethod
    def fit_prior(cls, prior: LatencyPrior, inputs: Mapping[str, ArrayLike], latency_ms: ArrayLike) -> LatencyModel:
        """Return the model of these measurements of distinct networks under ``prior``.

        Args:
            prior: of the space.
            inputs: matrices of (n, d) by group.
            latency_ms: measured medians in milliseconds, (n,).

        Raises:
            UsageError: fewer than three samples, or values that are no latencies.
        """
        given, values = check_samples(inputs, "latency_ms", latency_ms, MIN_SAMPLES, positive=True, distinct=False)
        return cls._of(prior, given, values)

    @classmethod
    def _of(cls, prior: LatencyPrior, inputs: Mapping[str, Array], values: Array) -> LatencyModel:
        found = average(prior.hypotheses, prior.encoding(inputs), values)
        return cls(prior.encoding, found.posterior.stretched(prior.deviation_factor), found.check)

    def predict(self, features: ArrayLike, one_hot: ArrayLike) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,), of a whole population at once."""
        return self.predict_inputs({"features": features, "one_hot": one_hot})

    def predict_inputs(self, inputs: Mapping[str, ArrayLike]) -> tuple[Array, Array]:
        """Return ``predict`` for matrices by group."""
        mean, deviation = self.posterior.predict(self.encoding(as_inputs(inputs)))
        return self._positive(mean), deviation * self.interval_scale

    def upper_ms(self, inputs: Mapping[str, ArrayLike], confidence: float = 0.95) -> Array:
        """Return limits in milliseconds, (n,), each of which the measurement stays under with this probability.

        Raises:
            UsageError: the confidence is not between 0.5 and 1.
        """
        mean, deviation = self.predict_inputs(inputs)
        return mean + upper_factor(self._check, confidence, self.interval_scale) * deviation

    @property
    def interval_scale(self) -> float:
        """By how much the posterior's deviations are stretched to agree with the leave-one-out residuals."""
        return scale_of(self._check)

    def leave_one_out(self) -> Validation:
        """Return each measured network predicted from the others."""
        check = self._check
        return Validation(check.actual, self._positive(check.predicted), check.deviation)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, the inverse of ``from_dict``."""
        posterior, check = self.posterior, self._check
        return {
            "encoding": self.encoding.to_dict(),
            "level": posterior.level,
            "mean": posterior.mean.tolist(),
            "column_variance": posterior.column_variance.tolist(),
            "factor": posterior.factor.tolist(),
            "signs": posterior.signs.tolist(),
            "noise": posterior.noise,
            "check": [check.actual.tolist(), check.predicted.tolist(), check.deviation.tolist()],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> LatencyModel:
        """Return the model of ``to_dict``'s data; it predicts the same numbers.

        Raises:
            UsageError: a key is missing or holds something else.
        """
        try:
            arrays = {
                key: np.array(content[key], dtype=np.float64) for key in ("mean", "column_variance", "factor", "signs")
            }
            encoding = Encoding.from_dict(content["encoding"])
            posterior = LinearPosterior(level=float(content["level"]), noise=float(content["noise"]), **arrays)
            actual, predicted, deviation = (np.array(each, dtype=np.float64) for each in content["check"])
            if posterior.factor.shape != (len(encoding.centre) + 1, len(posterior.signs)):
                raise ValueError("the shapes differ")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"the latency model can't be read ({type(error).__name__}: {error}): expected keys encoding, level, "
                "mean, column_variance, factor, signs, noise, check; fit it again"
            ) from None
        return cls(encoding, posterior, Validation(actual, predicted, deviation))

    def _positive(self, mean: Array) -> Array:
        """Return ``mean`` with an exponential tail below half the least measurement: above zero, the order kept."""
        knee = 0.5 * float(self._check.actual.min())
        return np.where(mean >= knee, mean, knee * np.exp(np.minimum(mean - knee, 0.0) / knee))
