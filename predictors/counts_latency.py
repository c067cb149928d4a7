"""The latency of networks of families never timed, from their counts alone, learnt from other families on the device.

Four models of log latency, averaged: randomised trees on what a linear trend leaves, and a closed-form smooth one, each
with and without the kinds of operator that a network is said to use. A family counts by the root of its size, so that
the largest does not rule. Of a log-normal guess with deviation s, the relative error is least at exp(-s^2) times its
median: an absolute percentage error punishes what is too long more than what is too short. ``s`` is that of families
left out in turn. Networks whose layers are known have an analytic latency too: the guess moves towards it by the share
that served families left out best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.kernels import Array
from predictors.samples import as_inputs, check_samples
from search_spaces.errors import UsageError

NUM_TREES, LEAST_LEAF, FEATURE_SHARE = 200, 2, 0.6
TREND_RIDGE, SMOOTH_NOISE, SMOOTH_CONSTANT, SMOOTH_LENGTH, KIND_SCALE = 1.0, 0.1, 0.05, 1.5, 0.5
NUM_FOLDS = 3
MIN_NETWORKS = 50


@dataclass(frozen=True, eq=False)
class _Columns:
    """The three groups of columns of some networks."""

    counts: Array
    ratios: Array
    kinds: Array

    @classmethod
    def of(cls, counts: ArrayLike, ratios: ArrayLike, kinds: ArrayLike) -> _Columns:
        return cls(**as_inputs({"counts": counts, "ratios": ratios, "kinds": kinds}))

    def at(self, rows: NDArray[Any]) -> _Columns:
        return _Columns(self.counts[rows], self.ratios[rows], self.kinds[rows])

    def for_trees(self) -> tuple[Array, Array]:
        """Return matrices without and with kinds, as they are: trees split along axes."""
        plain = np.hstack([self.counts, self.ratios])
        return plain, np.hstack([plain, self.kinds])

    def for_smooth(self, known: _Columns) -> tuple[Array, Array]:
        """Return matrices without and with kinds, in standard deviations of ``known``."""
        plain = np.hstack([_scaled(self.counts, known.counts), _scaled(self.ratios, known.ratios)])
        return plain, np.hstack([plain, KIND_SCALE * _scaled(self.kinds, known.kinds)])


@dataclass(frozen=True, eq=False)
class _Member:
    """One fit of all four models."""

    known: _Columns
    trend: Array
    trees: Sequence[Any]
    weights: Sequence[Array]
    level: float

    @classmethod
    def fit(cls, known: _Columns, target: Array, families: NDArray[Any], seed: int) -> _Member:
        from sklearn.ensemble import ExtraTreesRegressor

        scaled = _scaled(known.counts, known.counts)
        trend = _ridge(scaled, target)
        left = target - _with_constant(scaled) @ trend
        weight = _family_weight(families)
        settings: dict[str, Any] = {"min_samples_leaf": LEAST_LEAF, "max_features": FEATURE_SHARE, "random_state": seed}
        trees = [
            ExtraTreesRegressor(NUM_TREES, **settings).fit(part, left, sample_weight=weight)
            for part in known.for_trees()
        ]
        level = float(target.mean())
        noise = np.diag(SMOOTH_NOISE * weight.mean() / weight)
        weights = [
            np.asarray(np.linalg.solve(_smooth_covariance(part, part) + noise, target - level), dtype=np.float64)
            for part in known.for_smooth(known)
        ]
        return cls(known, trend, trees, weights, level)

    def log_ms(self, columns: _Columns) -> Array:
        trend = _with_constant(_scaled(columns.counts, self.known.counts)) @ self.trend
        trees = [tree.predict(part) + trend for tree, part in zip(self.trees, columns.for_trees(), strict=True)]
        known, new = self.known.for_smooth(self.known), columns.for_smooth(self.known)
        smooth = [self.level + _smooth_covariance(b, a) @ w for a, b, w in zip(known, new, self.weights, strict=True)]
        return np.asarray(np.mean([*trees, *smooth], axis=0))


@dataclass(frozen=True)
class _Correction:
    """What is added to the log of a guess: a constant, and a share of its distance to the analytic latency.

    ``deviation`` is what is left of the logs of families left out.
    """

    constant: float
    share: float
    deviation: float

    @classmethod
    def none(cls, guess: Array, target: Array) -> _Correction:
        """Return the one that leaves guesses as they are, but for the shift to the least relative error."""
        square = float(np.mean((guess - target) ** 2))
        return cls(-square, 0.0, float(np.sqrt(np.mean((guess - square - target) ** 2))))

    @classmethod
    def fit(cls, guess: Array, analytic: Array, target: Array, families: NDArray[Any]) -> _Correction:
        """Return the least squares, each family counting by the root of its size."""
        weight = _family_weight(families)
        matrix = np.column_stack([np.ones(len(guess)), analytic - guess])
        constant, share = np.linalg.solve(matrix.T @ (weight[:, None] * matrix), matrix.T @ (weight * (target - guess)))
        square = float(np.average((target - guess - matrix @ [constant, share]) ** 2, weights=weight))
        return cls(float(constant) - square, float(share), float(np.sqrt(square)))

    def __call__(self, guess: Array, analytic: Array) -> Array:
        """Return corrected logs."""
        return np.asarray(guess + self.constant + self.share * (analytic - guess))


class CountsLatency:
    """A fitted model of one device; make one with ``fit``."""

    def __init__(self, member: _Member, plain: _Correction, layered: _Correction) -> None:
        self._member, self._plain, self._layered = member, plain, layered

    @classmethod
    def fit(
        cls,
        counts: ArrayLike,
        ratios: ArrayLike,
        kinds: ArrayLike,
        latency_ms: ArrayLike,
        families: Sequence[str],
        seed: int = 0,
        analytic_ms: ArrayLike | None = None,
    ) -> CountsLatency:
        """Return the model of these networks.

        Args:
            counts: logs of MACs, activations, parameters, ..., (n, d).
            ratios: logs of ratios of them, as MACs over activations, (n, r).
            kinds: what is said of each network's operators, 0 or 1, (n, k).
            latency_ms: measured medians in milliseconds, (n,).
            families: of each network, (n,); at least three.
            seed: of trees and folds.
            analytic_ms: of the networks whose layers are known, from them, (n,); NaN of the others.

        Raises:
            UsageError: fewer than 50 networks or three families, or values that can't be.
        """
        given = {"counts": counts, "ratios": ratios, "kinds": kinds}
        inputs, values = check_samples(given, "latency_ms", latency_ms, MIN_NETWORKS, positive=True, distinct=False)
        names = np.asarray(families)
        distinct = np.unique(names)
        if len(names) != len(values) or len(distinct) < NUM_FOLDS:
            raise UsageError(
                f"families has {len(names)} names, {len(distinct)} distinct, for {len(values)} networks: "
                f"give one each, at least {NUM_FOLDS} distinct"
            )
        columns, target = _Columns(**inputs), np.log(values)
        order = np.random.default_rng(seed).permutation(distinct)
        left_out = np.empty(len(target))
        for fold in range(NUM_FOLDS):
            held = np.isin(names, order[fold::NUM_FOLDS])
            left_out[held] = _Member.fit(columns.at(~held), target[~held], names[~held], seed).log_ms(columns.at(held))
        plain = layered = _Correction.none(left_out, target)
        analytic = _logs(analytic_ms, len(target))
        known = np.isfinite(analytic)
        if known.sum() >= MIN_NETWORKS:
            layered = _Correction.fit(left_out[known], analytic[known], target[known], names[known])
        return cls(_Member.fit(columns, target, names, seed), plain, layered)

    def predict(
        self, counts: ArrayLike, ratios: ArrayLike, kinds: ArrayLike, analytic_ms: ArrayLike | None = None
    ) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,); the deviation is that of families left out."""
        guess = self._member.log_ms(_Columns.of(counts, ratios, kinds))
        analytic = _logs(analytic_ms, len(guess))
        known = np.isfinite(analytic)
        nearest = np.where(known, analytic, guess)
        mean = np.exp(np.where(known, self._layered(guess, nearest), self._plain(guess, nearest)))
        return mean, mean * np.where(known, self._layered.deviation, self._plain.deviation)


def _logs(analytic_ms: ArrayLike | None, num: int) -> Array:
    """Return the logs, (n,), NaN where nothing is known."""
    if analytic_ms is None:
        return np.full(num, np.nan)
    values = np.asarray(analytic_ms, dtype=np.float64)
    wrong = int((values <= 0).sum())
    if values.shape != (num,) or wrong:
        raise UsageError(
            f"analytic_ms has shape {values.shape} and {wrong} values at or below zero: give ({num},) or NaN"
        )
    return np.log(values)


def _family_weight(families: NDArray[Any]) -> Array:
    """Return the weight of each network, (n,): a family counts by the root of its size."""
    _, inverse, sizes = np.unique(families, return_inverse=True, return_counts=True)
    return np.asarray(sizes[inverse] ** -0.5)


def _scaled(rows: Array, known: Array) -> Array:
    """Return columns centred and divided by the standard deviation of ``known``."""
    spread = known.std(axis=0)
    return np.asarray((rows - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _with_constant(rows: Array) -> Array:
    return np.column_stack([np.ones(len(rows)), rows])


def _ridge(rows: Array, target: Array) -> Array:
    """Return the coefficients, the constant first and not penalised."""
    matrix = _with_constant(rows)
    penalty = np.diag([0.0, *[TREND_RIDGE] * rows.shape[1]])
    return np.asarray(np.linalg.solve(matrix.T @ matrix + penalty, matrix.T @ target))


def _smooth_covariance(left: Array, right: Array) -> Array:
    width = left.shape[1]
    products = left @ right.T / width
    squares = np.einsum("ij,ij->i", left, left)[:, None] + np.einsum("ij,ij->i", right, right)
    distances = np.maximum(squares / width - 2 * products, 0.0) / SMOOTH_LENGTH**2
    return np.asarray(products + np.exp(-0.5 * distances) + SMOOTH_CONSTANT)
