"""The posterior average over hypotheses of linear latency models: closed form, and one small model in the end.

Every hypothesis is a Gaussian process with a linear kernel, so its posterior is a Gaussian over coefficients, and so
is (by its first two moments) the average over hypotheses, weighted by how probable each makes the measurements:

    mean(x) = level * (1 + x b),   variance(x) = level^2 * (x Q x' + noise)

Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), sections 2.1-2.3 and 2.7; Hoeting et al.,
"Bayesian Model Averaging" (1999). A measurement that the others contradict counts for less: its noise variance is
multiplied by its squared standardised leave-one-out residual over ``OUTLIER``, twice (a step of the usual reweighting
for heavy-tailed noise).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from predictors.hypotheses import Hypotheses
from predictors.kernels import Array
from predictors.validation import Validation

# The unknown level: variance of a constant, in units of s.
CONSTANT = 25.0
OUTLIER = 6.0
NUM_REWEIGHTINGS = 2
# Below this share of the largest, an eigenvalue of Q and the weight of a hypothesis do not matter.
MIN_EIGENVALUE = 1e-6
MIN_WEIGHT = 1e-4


@dataclass(frozen=True)
class LinearPosterior:
    """The averaged model over encoded rows with a constant column appended, (n, p + 1).

    Attributes:
        level: typical latency, in the unit of the values.
        mean: coefficients b, (p + 1,).
        column_variance: part of Q that is diagonal, (p + 1,).
        factor: other part of Q, ``factor * signs @ factor.T``, (p + 1, r).
        signs: (r,), each +1 or -1.
        noise: variance of a new measurement around x b.
    """

    level: float
    mean: Array
    column_variance: Array
    factor: Array
    signs: Array
    noise: float

    def predict(self, rows: Array) -> tuple[Array, Array]:
        """Return (mean, standard deviation of a new measurement) of encoded rows (n, p), each (n,)."""
        mean = rows @ self.mean[:-1] + self.mean[-1]
        variance = (rows**2) @ self.column_variance[:-1] + self.column_variance[-1] + self.noise
        projected = rows @ self.factor[:-1] + self.factor[-1]
        variance += (projected**2) @ self.signs
        return self.level * (1.0 + mean), self.level * np.sqrt(np.maximum(variance, self.noise))

    def stretched(self, factor: float) -> LinearPosterior:
        """Return the same means with deviations times ``factor``."""
        return replace(
            self,
            column_variance=self.column_variance * factor**2,
            factor=self.factor * factor,
            noise=self.noise * factor**2,
        )


@dataclass(frozen=True)
class Average:
    """What ``average`` returns.

    Attributes:
        posterior: the model.
        check: each measurement predicted from the others, hypotheses' weights kept.
        downweighted: factor of each measurement's noise variance; 1 where nothing is odd, (n,).
        log_evidence: log probability of the measurements, up to a constant of their number.
    """

    posterior: LinearPosterior
    check: Validation
    downweighted: Array
    log_evidence: float


@dataclass(frozen=True)
class _Solved:
    """All hypotheses (C) solved on n measurements; ``weights`` is (C, S) over hypotheses and scales."""

    inverse: Array
    values: Array
    trends: Array
    weights: Array
    log_evidence: float


def average(prior: Hypotheses, rows: Array, values: Array) -> Average:
    """Return the posterior average given measurements.

    Args:
        prior: the hypotheses.
        rows: encoded networks, (n, p).
        values: their latencies, positive, (n,).
    """
    level = float(np.median(values))
    relative = values / level - 1.0
    products = [rows @ each for each in prior.maps]
    kernels = np.stack([product @ product.T for product in products])
    covariance = np.tensordot(prior.weights, kernels, 1) + CONSTANT
    trends = (rows @ prior.trends).T[prior.trend]
    inflation = np.ones(len(values))
    for _ in range(NUM_REWEIGHTINGS):
        solved = _solve(prior, covariance, trends, relative, inflation)
        odd = np.maximum(_squared_residuals(prior, solved) / OUTLIER, 1.0)
        if (odd == 1.0).all():
            break
        inflation = inflation * odd
    solved = _solve(prior, covariance, trends, relative, inflation)
    check = _leave_one_out(prior, solved, relative)
    check = Validation(values, level * (1.0 + check.predicted), level * check.deviation)
    kept_prior, kept = _likely(prior, solved)
    return Average(_posterior(kept_prior, kept, products, level), check, inflation, solved.log_evidence)


def _solve(prior: Hypotheses, covariance: Array, trends: Array, values: Array, inflation: Array) -> _Solved:
    noisy = covariance + prior.noise[:, None, None] * np.diag(inflation)
    factor = np.linalg.cholesky(noisy)
    inverse = np.linalg.inv(noisy)
    solved_values, solved_trends = inverse @ values, np.einsum("cij,cj->ci", inverse, trends)
    half_log_determinant = np.log(np.einsum("cii->ci", factor)).sum(axis=1)
    scales = prior.scales
    quadratic = (
        (solved_values @ values)[:, None] / scales**2
        - 2 * (solved_trends @ values)[:, None] / scales
        + np.einsum("ci,ci->c", solved_trends, trends)[:, None]
    )
    log_weights = (
        (prior.log_prior - half_log_determinant)[:, None]
        + prior.log_scale_prior
        - len(values) * np.log(scales)
        - 0.5 * quadratic
    )
    top = float(log_weights.max())
    weights = np.exp(log_weights - top)
    total = float(weights.sum())
    return _Solved(
        np.asarray(inverse, dtype=np.float64), solved_values, solved_trends, weights / total, top + float(np.log(total))
    )


def _likely(prior: Hypotheses, solved: _Solved) -> tuple[Hypotheses, _Solved]:
    """Return the hypotheses that matter, with weights that add to one."""
    weight = solved.weights.sum(axis=1)
    kept = np.flatnonzero(weight > MIN_WEIGHT * weight.max())
    fewer = replace(
        prior,
        trend=prior.trend[kept],
        weights=prior.weights[kept],
        noise=prior.noise[kept],
        log_prior=prior.log_prior[kept],
    )
    weights = np.asarray(solved.weights[kept] / weight[kept].sum(), dtype=np.float64)
    parts = (solved.inverse[kept], solved.values[kept], solved.trends[kept])
    return fewer, _Solved(*parts, weights, solved.log_evidence)


def _squared_residuals(prior: Hypotheses, solved: _Solved) -> Array:
    """Return the mean over hypotheses and scales of each squared standardised leave-one-out residual, (n,)."""
    diagonal = np.einsum("cii->ci", solved.inverse)
    by_power = [(solved.weights / prior.scales**power).sum(axis=1)[:, None] for power in (2, 1, 0)]
    terms = solved.values**2 * by_power[0] - 2 * solved.values * solved.trends * by_power[1]
    return np.asarray(((terms + solved.trends**2 * by_power[2]) / diagonal).sum(axis=0))


def _moments(prior: Hypotheses, solved: _Solved) -> tuple[Array, Array, Array]:
    """Return, for each hypothesis, its weight and its weight times the mean of s and of s^2."""
    weights = solved.weights
    return weights.sum(axis=1), weights @ prior.scales, weights @ prior.scales**2


def _leave_one_out(prior: Hypotheses, solved: _Solved, values: Array) -> Validation:
    """Return the closed-form leave-one-out prediction of each relative value (Rasmussen and Williams, 5.10-5.12)."""
    weight, scale, square = _moments(prior, solved)
    diagonal = np.einsum("cii->ci", solved.inverse)
    fixed, slope = solved.values / diagonal, solved.trends / diagonal
    error = weight @ fixed - scale @ slope
    second = weight @ fixed**2 - 2 * scale @ (fixed * slope) + square @ slope**2
    variance = second - error**2 + square @ (1.0 / diagonal)
    return Validation(values, values - error, np.sqrt(variance))


def _posterior(prior: Hypotheses, solved: _Solved, products: list[Array], level: float) -> LinearPosterior:
    weight, scale, square = _moments(prior, solved)
    # Rows of (C, n, p + 1): the covariance of each measurement with each coefficient and with the constant.
    cross = np.tensordot(prior.weights, np.stack([p @ m.T for p, m in zip(products, prior.maps, strict=True)]), 1)
    cross = np.concatenate([cross, np.full((*cross.shape[:2], 1), CONSTANT)], axis=2)
    fixed = np.einsum("cn,cnp->cp", solved.values, cross)
    slope = -np.einsum("cn,cnp->cp", solved.trends, cross)
    slope[:, :-1] += prior.trends.T[prior.trend]
    mean = weight @ fixed + scale @ slope
    mixed = (fixed * scale[:, None]).T @ slope
    between = (fixed * weight[:, None]).T @ fixed + mixed + mixed.T + (slope * square[:, None]).T @ slope
    dense = between - np.outer(mean, mean) - _explained(solved.inverse, cross, square)
    variances = square @ prior.weights
    diagonal = np.zeros(len(mean))
    diagonal[-1] = CONSTANT * square.sum()
    for variance, each in zip(variances, prior.maps, strict=True):
        if each.shape[1] and np.count_nonzero(each) == each.shape[1]:
            diagonal[:-1] += variance * (each**2).sum(axis=1)
        else:
            dense[:-1, :-1] += variance * each @ each.T
    factor, signs = _factor(dense)
    return LinearPosterior(level, mean, diagonal, factor, signs, float(square @ prior.noise))


def _explained(inverse: Array, cross: Array, square: Array) -> Array:
    """Return the sum over hypotheses of square * cross' inverse cross, (p + 1, p + 1)."""
    root = np.linalg.cholesky(inverse).transpose(0, 2, 1) @ cross
    flat = (root * np.sqrt(square)[:, None, None]).reshape(-1, cross.shape[2])
    return np.asarray(flat.T @ flat)


def _factor(symmetric: Array) -> tuple[Array, Array]:
    """Return (factor, signs): ``factor * signs @ factor.T`` is ``symmetric`` without its least eigenvalues."""
    values, vectors = np.linalg.eigh(symmetric)
    kept = np.abs(values) > MIN_EIGENVALUE * np.abs(values).max()
    # In the order that a stored model comes back in: products of another order round otherwise on some processors.
    return np.ascontiguousarray(vectors[:, kept] * np.sqrt(np.abs(values[kept]))), np.sign(values[kept])
