"""Choosing which networks to measure, from their features alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predictors.kernels import Array
from predictors.latency import LatencyPrior
from predictors.model_average import CONSTANT
from search_spaces.errors import UsageError, unknown

Rows = NDArray[np.intp]
SAMPLERS = ("best", "variance", "information", "kmeans", "random")
# Below, single far networks tell more than what is best for all on average (on public tables).
MIN_VARIANCE_SAMPLES = 10
# Candidates that all but chance look at; more change the choice, hardly its worth.
MAX_CANDIDATES = 2000
# What is measured should teach of noisy devices too: networks far from the others, which cost little elsewhere.
NOISE_QUANTILE = 0.95
NUM_KMEANS_STEPS = 20


def choose(sampler: str, prior: LatencyPrior, rows: Array, num: int, seed: int) -> Rows:
    """Return the indices of ``num`` distinct networks to measure; the same arguments choose the same.

    ``variance`` takes one after another the network that leaves least variance over all (the greedy form of Cohn's
    criterion: "Neural network exploration using optimal experiment design", 1996); ``information`` the network whose
    latency the prior knows least given those before (the greedy maximum of the information gain: Krause et al.,
    "Near-optimal sensor placements in Gaussian processes", JMLR 2008); ``kmeans`` takes the network nearest to each of
    ``num`` centres; ``random`` draws; ``best`` is ``resolved``.

    Args:
        sampler: one of ``SAMPLERS``.
        prior: of the space.
        rows: encoded networks to choose from, (n, p), as ``prior.encoding`` gives.
        num: how many.
        seed: of the candidates and of the draws.

    Raises:
        UsageError: another sampler, or more networks than there are.
    """
    if not 1 <= num <= len(rows):
        raise UsageError(f"samples is {num}: give at least 1 and at most the {len(rows)} networks there are")
    if sampler not in SAMPLERS:
        raise unknown("sampler", sampler, SAMPLERS)
    sampler, rng = resolved(sampler, num), np.random.default_rng(seed)
    if sampler == "random":
        return rng.choice(len(rows), num, replace=False)
    candidates = rng.choice(len(rows), min(len(rows), max(MAX_CANDIDATES, num)), replace=False)
    seen = weighted_rows(prior, rows[candidates])
    if sampler == "kmeans":
        return candidates[_nearest_to_centres(seen, num, rng)]
    return candidates[(_least_variance if sampler == "variance" else _most_informative)(seen, prior, num)]


def resolved(sampler: str, num: int) -> str:
    """Return what ``best`` stands for where ``num`` networks are measured; others as they are."""
    if sampler != "best":
        return sampler
    return "variance" if num >= MIN_VARIANCE_SAMPLES else "information"


def weighted_rows(prior: LatencyPrior, rows: Array) -> Array:
    """Return rows whose products are the covariance of latencies a priori: the mean over the hypotheses, (n, q)."""
    found = prior.hypotheses
    share = np.exp(found.log_prior)
    variances = share @ found.weights
    trends = np.bincount(found.trend, share, minlength=found.trends.shape[1])
    parts = [np.sqrt(variance) * (rows @ each) for variance, each in zip(variances, found.maps, strict=True)]
    return np.hstack([*parts, (rows @ found.trends) * np.sqrt(trends)])


def _most_informative(rows: Array, prior: LatencyPrior, num: int) -> Rows:
    """Return the greedy choice: pivots of a Cholesky decomposition of the covariance."""
    noise = float(np.median(prior.hypotheses.noise))
    variance = np.einsum("ij,ij->i", rows, rows)
    factors = np.zeros((num, len(rows)))
    chosen = np.zeros(num, dtype=np.intp)
    for step in range(num):
        pivot = int(np.argmax(variance))
        chosen[step] = pivot
        explained = rows @ rows[pivot] - factors[:step].T @ factors[:step, pivot]
        factors[step] = explained / np.sqrt(explained[pivot] + noise)
        variance = variance - factors[step] ** 2
        variance[chosen[: step + 1]] = -np.inf
    return chosen


def _least_variance(rows: Array, prior: LatencyPrior, num: int) -> Rows:
    """Return the greedy choice; with u = covariance of a row with all, it takes mean(u^2) / (variance + noise)."""
    noise = float(np.quantile(prior.hypotheses.noise, NOISE_QUANTILE))
    rows = np.hstack([rows, np.full((len(rows), 1), np.sqrt(CONSTANT))])
    moment = rows.T @ rows / len(rows)
    unknown_part, seen = rows.copy(), rows @ moment
    chosen = np.zeros(num, dtype=np.intp)
    for step in range(num):
        variance = np.einsum("ij,ij->i", unknown_part, rows)
        gain = np.einsum("ij,ij->i", seen, unknown_part) / (variance + noise)
        gain[chosen[:step]] = -np.inf
        best = chosen[step] = np.argmax(gain)
        direction = unknown_part[best] / np.sqrt(variance[best] + noise)
        along = (rows @ direction)[:, None]
        unknown_part -= along * direction
        seen -= along * (direction @ moment)
    return chosen


def _nearest_to_centres(rows: Array, num: int, rng: np.random.Generator) -> Rows:
    """Return the row nearest to each centre of Lloyd's algorithm, no row twice."""
    centres = rows[rng.choice(len(rows), num, replace=False)]
    for _ in range(NUM_KMEANS_STEPS):
        nearest = np.argmin(_squared_distances(rows, centres), axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, rows)
        sizes = np.bincount(nearest, minlength=num)[:, None]
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres)
    distances = _squared_distances(rows, centres)
    chosen = np.zeros(num, dtype=np.intp)
    for centre in range(num):
        chosen[centre] = np.argmin(distances[:, centre])
        distances[chosen[centre]] = np.inf
    return chosen


def _squared_distances(rows: Array, centres: Array) -> Array:
    squares = np.einsum("ij,ij->i", rows, rows)[:, None] + np.einsum("ij,ij->i", centres, centres)
    return np.asarray(squares - 2 * rows @ centres.T)
