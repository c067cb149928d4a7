"""From a card with long tables to one with a few runs: one constant, and what structure says of its changes.

The ratio of two cards' latencies is nearly one number; what remains follows how hard a network drives the first card.
The log ratio is a Gaussian process: an unknown constant, linear and smooth terms of features that are standardised over
the networks known on the source, and noise. Scale, length and noise are averaged over a grid by marginal likelihood
(Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), 2.30), which stands up to three samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from predictors.kernels import Array
from predictors.samples import as_inputs, check_samples
from search_spaces.errors import UsageError

# Deviations of a log ratio: of the constant before any run, of its changes over networks, and of a run.
CONSTANT_DEVIATION = 1.0
SCALES, LENGTHS, NOISES = (0.03, 0.1, 0.2), (0.5, 1.0), (0.02, 0.05, 0.1)


@dataclass(frozen=True, eq=False)
class SisterModel:
    """A fitted transfer; make one with ``fit`` or ``from_dict``.

    Attributes:
        centre, scale: of the features over the networks known on the source, (d,).
        features: standardised, of the samples, (n, d).
        log_ratio: log of target over source latency of the samples, (n,).
    """

    centre: Array
    scale: Array
    features: Array
    log_ratio: Array

    @classmethod
    def fit(
        cls, source_ms: ArrayLike, features: ArrayLike, latency_ms: ArrayLike, population: ArrayLike
    ) -> SisterModel:
        """Return the model of these runs on the target.

        Args:
            source_ms: the same networks' latencies on the source, measured or predicted, (n,) milliseconds.
            features: (n, d), as ``sister_features``; d may be 0: then one constant is all that is learnt.
            latency_ms: on the target, (n,) milliseconds.
            population: features of the networks known on the source, (m, d); they define what differs much.

        Raises:
            UsageError: no samples, or latencies or features that can't be.
        """
        inputs = {"features": features, "source_ms": np.reshape(np.asarray(source_ms, dtype=np.float64), (-1, 1))}
        matrices, target = check_samples(inputs, "latency_ms", latency_ms, 1, positive=True, distinct=False)
        source = _positive(matrices["source_ms"][:, 0])
        known = as_inputs({"population": population})["population"]
        _same_columns(known, matrices["features"])
        spread = known.std(axis=0)
        centre, scale = known.mean(axis=0), np.where(spread > 0, spread, 1.0)
        rows = (matrices["features"] - centre) / scale
        return cls(centre, scale, rows, np.log(target / source))

    def predict(self, source_ms: ArrayLike, features: ArrayLike) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,), of networks known on the source."""
        inputs = as_inputs(
            {"features": features, "source_ms": np.reshape(np.asarray(source_ms, dtype=np.float64), (-1, 1))}
        )
        _same_columns(self.features, inputs["features"])
        rows = (inputs["features"] - self.centre) / self.scale
        mean, deviation = self._log_ratio(rows)
        found = _positive(inputs["source_ms"][:, 0]) * np.exp(mean)
        return found, found * deviation

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, the inverse of ``from_dict``."""
        names = ("centre", "scale", "features", "log_ratio")
        return {name: getattr(self, name).tolist() for name in names} | {"num_columns": len(self.centre)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> SisterModel:
        """Return the model of ``to_dict``'s data; it predicts the same numbers."""
        try:
            names = ("centre", "scale", "log_ratio")
            arrays = {name: np.array(content[name], dtype=np.float64) for name in names}
            features = np.array(content["features"], dtype=np.float64).reshape(-1, int(content["num_columns"]))
            if len(features) != len(arrays["log_ratio"]) or len(arrays["centre"]) != features.shape[1]:
                raise ValueError("the shapes differ")
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"the sister model can't be read ({type(error).__name__}: {error}): expected keys centre, scale, "
                "features, log_ratio, num_columns; fit it again"
            ) from None
        return cls(features=features, **arrays)

    def _log_ratio(self, rows: Array) -> tuple[Array, Array]:
        """Return (mean, deviation) of the log ratio of a run, averaged over the grid by marginal likelihood."""
        num = len(self.log_ratio)
        found, evidence = [], []
        for scale, length, noise in product(SCALES, LENGTHS, NOISES):
            covariance = _covariance(self.features, self.features, scale, length) + noise**2 * np.eye(num)
            inverse = np.linalg.inv(covariance)
            level = float(np.median(self.log_ratio))
            weights = inverse @ (self.log_ratio - level)
            cross = _covariance(rows, self.features, scale, length)
            prior = _diagonal(rows, scale)
            variance = np.maximum(prior - np.einsum("ij,ij->i", cross @ inverse, cross), 0.0) + noise**2
            found.append((level + cross @ weights, variance))
            determinant = float(np.linalg.slogdet(covariance)[1])
            evidence.append(-0.5 * float((self.log_ratio - level) @ weights) - 0.5 * determinant)
        share = np.exp(np.array(evidence) - max(evidence))
        share /= share.sum()
        mean = np.einsum("i,ij->j", share, np.array([each[0] for each in found]))
        second = np.einsum("i,ij->j", share, np.array([each[1] + each[0] ** 2 for each in found]))
        return mean, np.sqrt(np.maximum(second - mean**2, 0.0))


def sister_features(macs: ArrayLike, source_ms: ArrayLike) -> Array:
    """Return the features of networks known on the source, (n, 1): log of MACs a second that the source reached.

    Raises:
        UsageError: MACs or latencies that are missing, zero or negative.
    """
    counts, times = np.asarray(macs, dtype=np.float64), np.asarray(source_ms, dtype=np.float64)
    return np.log(_positive(counts, "macs") / _positive(times)).reshape(-1, 1)


def _covariance(left: Array, right: Array, scale: float, length: float) -> Array:
    total = np.full((len(left), len(right)), CONSTANT_DEVIATION**2)
    width = left.shape[1]
    if width:
        products = left @ right.T / width
        squares = np.einsum("ij,ij->i", left, left)[:, None] + np.einsum("ij,ij->i", right, right)
        distances = np.maximum(squares / width - 2 * products, 0.0)
        total += scale**2 * (products + np.exp(-0.5 * distances / length**2))
    return total


def _diagonal(rows: Array, scale: float) -> Array:
    width = rows.shape[1]
    varying = scale**2 * (np.einsum("ij,ij->i", rows, rows) / width + 1.0) if width else np.zeros(len(rows))
    return np.asarray(CONSTANT_DEVIATION**2 + varying)


def _positive(values: Array, name: str = "source_ms") -> Array:
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(wrong):
        raise UsageError(
            f"{name}: {len(wrong)} of {len(values)} values are missing, zero or negative "
            f"(rows {', '.join(map(str, wrong[:5]))}): leave them out"
        )
    return values


def _same_columns(known: Array, given: Array) -> None:
    if known.shape[1] != given.shape[1]:
        raise UsageError(f"features has {given.shape[1]} columns: the others have {known.shape[1]}")
