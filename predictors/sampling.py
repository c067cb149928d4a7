"""Choosing which networks to measure, from their features alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predictors.kernels import Array
from predictors.latency import LatencyPrior
from search_spaces.errors import UsageError, unknown

Rows = NDArray[np.intp]
SAMPLERS = ("random", "kmeans", "information")
# Candidates that k-means and information gain look at; more change the choice, hardly its worth.
MAX_CANDIDATES = 2000
NUM_KMEANS_STEPS = 20


def choose(sampler: str, prior: LatencyPrior, rows: Array, num: int, seed: int) -> Rows:
    """Return the indices of ``num`` distinct networks to measure; the same arguments choose the same.

    ``random`` draws; ``kmeans`` takes the network nearest to each of ``num`` centres; ``information`` takes one after
    another the network whose latency the prior knows least given those before (the greedy maximum of the information
    gain: Krause et al., "Near-optimal sensor placements in Gaussian processes", JMLR 2008).

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
    rng = np.random.default_rng(seed)
    if sampler == "random":
        return rng.choice(len(rows), num, replace=False)
    candidates = rng.choice(len(rows), min(len(rows), max(MAX_CANDIDATES, num)), replace=False)
    seen = weighted_rows(prior, rows[candidates])
    found = _nearest_to_centres(seen, num, rng) if sampler == "kmeans" else _most_informative(seen, prior, num)
    return candidates[found]


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
