"""The latency of networks of families never timed, from their counts alone, learnt from other families on the device.

Four models of log latency, averaged: randomised trees on what a linear trend leaves, and a closed-form smooth one, each
with and without the kinds of operator that a network is said to use. A family counts by the root of its size, so that
the largest does not rule. The mean is then moved by one constant to where the relative error is least on families left
out in turn: an absolute percentage error punishes what is too long more than what is too short.
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
TREND_RIDGE, SMOOTH_NOISE, SMOOTH_CONSTANT, KIND_SCALE = 1.0, 0.1, 0.05, 0.5
NUM_FOLDS = 3
SHIFTS = np.linspace(-0.3, 0.2, 51)
MIN_NETWORKS = 50


@dataclass(frozen=True, eq=False)
class _Member:
    """One fit of all four models, on rows that were scaled by ``centre`` and ``scale``."""

    centre: Array
    scale: Array
    trend: Array
    trees: Sequence[Any]
    smooth: Sequence[tuple[Array, Array]]
    level: float
    spread: float
    num_counts: int

    def log_ms(self, rows: Array) -> Array:
        scaled = (rows - self.centre) / self.scale
        trend = np.column_stack([np.ones(len(rows)), scaled[:, : self.num_counts]]) @ self.trend
        parts = _parts(_with_ratios(rows, self.num_counts))
        trees = [tree.predict(part) + trend for tree, part in zip(self.trees, parts, strict=True)]
        smooth = [
            self.level + self.spread * (_smooth_covariance(part, known) @ weights)
            for part, (known, weights) in zip(_smooth_parts(scaled, self.num_counts), self.smooth, strict=True)
        ]
        return np.asarray(np.mean([*trees, *smooth], axis=0))


class CountsLatency:
    """A fitted model of one device; make one with ``fit``."""

    def __init__(self, member: _Member, shift: float, deviation: float) -> None:
        self._member, self.shift, self.deviation = member, shift, deviation

    @classmethod
    def fit(
        cls, counts: ArrayLike, kinds: ArrayLike, latency_ms: ArrayLike, families: Sequence[str], seed: int = 0
    ) -> CountsLatency:
        """Return the model of these networks.

        Args:
            counts: logs of MACs, activations, parameters, ..., (n, d).
            kinds: what is said of each network's operators, 0 or 1, (n, k).
            latency_ms: measured medians in milliseconds, (n,).
            families: of each network, (n,); at least three.
            seed: of trees and folds.

        Raises:
            UsageError: fewer than 50 networks or three families, or values that can't be.
        """
        inputs, values = check_samples(
            {"counts": counts, "kinds": kinds}, "latency_ms", latency_ms, MIN_NETWORKS, positive=True, distinct=False
        )
        names = np.asarray(families)
        distinct = np.unique(names)
        if len(names) != len(values) or len(distinct) < NUM_FOLDS:
            raise UsageError(
                f"families has {len(names)} names, {len(distinct)} distinct, for {len(values)} networks: "
                f"give one each, at least {NUM_FOLDS} distinct"
            )
        rows, target = np.hstack([inputs["counts"], inputs["kinds"]]), np.log(values)
        num_counts = inputs["counts"].shape[1]
        order = np.random.default_rng(seed).permutation(distinct)
        left_out = np.empty(len(target))
        for fold in range(NUM_FOLDS):
            held = np.isin(names, order[fold::NUM_FOLDS])
            member = _fit(rows[~held], target[~held], names[~held], num_counts, seed)
            left_out[held] = member.log_ms(rows[held])
        shift = float(min(SHIFTS, key=lambda by: float(np.mean(np.abs(np.exp(left_out + by - target) - 1)))))
        deviation = float(np.sqrt(np.mean((left_out + shift - target) ** 2)))
        return cls(_fit(rows, target, names, num_counts, seed), shift, deviation)

    def predict(self, counts: ArrayLike, kinds: ArrayLike) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,); the deviation is that of families left out."""
        inputs = as_inputs({"counts": counts, "kinds": kinds})
        mean = np.exp(self._member.log_ms(np.hstack([inputs["counts"], inputs["kinds"]])) + self.shift)
        return mean, mean * self.deviation


def _fit(rows: Array, target: Array, families: NDArray[Any], num_counts: int, seed: int) -> _Member:
    from sklearn.ensemble import ExtraTreesRegressor

    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = (rows - centre) / scale
    trend = _ridge(scaled[:, :num_counts], target)
    left = target - np.column_stack([np.ones(len(rows)), scaled[:, :num_counts]]) @ trend
    _, inverse, sizes = np.unique(families, return_inverse=True, return_counts=True)
    weight = sizes[inverse] ** -0.5
    trees = [
        ExtraTreesRegressor(NUM_TREES, min_samples_leaf=LEAST_LEAF, max_features=FEATURE_SHARE, random_state=seed).fit(
            part, left, sample_weight=weight
        )
        for part in _parts(_with_ratios(rows, num_counts))
    ]
    level, deviation = float(target.mean()), float(target.std()) or 1.0
    weights = [
        (part, np.linalg.solve(_smooth_covariance(part, part) + SMOOTH_NOISE * np.eye(len(part)), (target - level)))
        for part in _smooth_parts(scaled, num_counts)
    ]
    smooth = [(part, np.asarray(each / deviation, dtype=np.float64)) for part, each in weights]
    return _Member(centre, scale, trend, trees, smooth, level, deviation, num_counts)


def _with_ratios(rows: Array, num_counts: int) -> tuple[Array, Array]:
    """Return (logs of counts and of their ratios, kinds): trees split along axes, and ratios are axes to them."""
    counts = rows[:, :num_counts]
    left, right = np.triu_indices(num_counts, k=1)
    return np.hstack([counts, counts[:, left] - counts[:, right]]), rows[:, num_counts:]


def _smooth_parts(scaled: Array, num_counts: int) -> tuple[Array, Array]:
    return _parts((scaled[:, :num_counts], KIND_SCALE * scaled[:, num_counts:]))


def _parts(columns: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return (counts, counts and kinds)."""
    return columns[0], np.hstack(columns)


def _ridge(rows: Array, target: Array) -> Array:
    """Return the coefficients, the constant first and not penalised."""
    matrix = np.column_stack([np.ones(len(rows)), rows])
    penalty = np.diag([0.0, *[TREND_RIDGE] * rows.shape[1]])
    return np.asarray(np.linalg.solve(matrix.T @ matrix + penalty, matrix.T @ target))


def _smooth_covariance(left: Array, right: Array) -> Array:
    width = left.shape[1]
    products = left @ right.T / width
    squares = np.einsum("ij,ij->i", left, left)[:, None] + np.einsum("ij,ij->i", right, right)
    return np.asarray(products + np.exp(-0.5 * np.maximum(squares / width - 2 * products, 0.0)) + SMOOTH_CONSTANT)
