"""What may be true of a device before anything was measured on it: a few hundred priors over linear latency models.

A hypothesis says that the latency of network x, divided by a typical latency, is

    1 + s * (trend(x) + deviation(x) + noise),   deviation ~ GP(0, sum_j w_j x A_j A_j' x')

with a trend of variance 1 over the population, weights w_j of groups of columns and a noise variance. Trends are one
total (MACs grow, latency grows) or their mean and, with source devices, the mean of those or one of them (a sibling).
The scale s (the spread of latencies relative to their level) is summed out on a grid. Weights and noises are drawn
from log-normal priors by a Sobol sequence: the same in every call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from predictors.encoding import Encoding
from predictors.kernels import Array

NUM_DRAWS = 64
NUM_SIBLING_DRAWS = 16
# Log standard deviations of weights and of the noise.
WEIGHT_SPREAD, NOISE_SPREAD = 1.5, 1.5
LOG_NOISE = -2.75
# Log variance of what devices have of their own beside what sources tell; and of what siblings differ in.
OWN_SHIFT, SIBLING_SHIFT = -3.0, -2.5
# Prior probabilities with sources: like their mean, like one of them, like neither.
MEAN_SHARE, SIBLING_SHARE, OWN_SHARE = 0.4, 0.4, 0.2
NEVER = -60.0
NUM_SCALES = 11
# Relative spread of latencies without sources: median 0.2, one standard deviation a factor of two.
LOG_SPREAD = (float(np.log(0.2)), 0.7)
MIN_LOG_SPREAD_DEVIATION = 0.35


@dataclass(frozen=True)
class Hypotheses:
    """Priors to average over; C of them, over p encoded columns.

    Attributes:
        maps: for each group of coefficients the columns it acts on, (p, k) each.
        trends: (p, F): trend f of encoded rows is ``rows @ trends[:, f]``.
        trend: index of each hypothesis' trend, (C,).
        weights: variances of the groups, (C, len(maps)).
        noise: variance of the noise, (C,).
        log_prior: (C,).
        scales: grid of s, (S,).
        log_scale_prior: (S,).
    """

    maps: tuple[Array, ...]
    trends: Array
    trend: np.typing.NDArray[np.intp]
    weights: Array
    noise: Array
    log_prior: Array
    scales: Array
    log_scale_prior: Array


@dataclass(frozen=True)
class SourcePrior:
    """What source devices tell, in encoded columns.

    Attributes:
        coefficients: (p, D): linear models of the sources' standardised latencies.
        log_spread: log of (standard deviation / median) of each source's latencies, (D,).
    """

    coefficients: Array
    log_spread: Array


def hypotheses(encoding: Encoding, rows: Array, sources: SourcePrior | None = None) -> Hypotheses:
    """Return the priors for an encoding.

    Args:
        encoding: of the columns.
        rows: encoded reference population, (n, p): trends have variance 1 on it.
        sources: what other devices tell, or None.
    """
    eye = np.eye(len(encoding.centre))
    maps = [eye[:, part] for part in encoding.slices]
    own = _unit(rows, _own_trends(encoding))
    centres = [group.log_weight for group in encoding.groups]
    if sources is None:
        parts = [_part(trend, [*centres, LOG_NOISE], NUM_DRAWS, 1 / own.shape[1]) for trend in range(own.shape[1])]
        return _joined(maps, own, parts, *LOG_SPREAD)
    every = _unit(rows, sources.coefficients)
    mean = _unit(rows, every.mean(axis=1, keepdims=True))
    maps.append(_equal_variance(rows, every - mean))
    num = every.shape[1]
    shifted = [centre + OWN_SHIFT for centre in centres]
    nearer = [centre + OWN_SHIFT + SIBLING_SHIFT for centre in centres]
    parts = [_part(0, [*shifted, 0.0, LOG_NOISE], NUM_DRAWS, MEAN_SHARE)]
    parts += [
        _part(1 + k, [*nearer, SIBLING_SHIFT, LOG_NOISE - 1], NUM_SIBLING_DRAWS, SIBLING_SHARE / num)
        for k in range(num)
    ]
    parts += [
        _part(1 + num + k, [*centres, NEVER, LOG_NOISE], NUM_SIBLING_DRAWS, OWN_SHARE / own.shape[1])
        for k in range(own.shape[1])
    ]
    spread = max(float(sources.log_spread.std()), MIN_LOG_SPREAD_DEVIATION)
    return _joined(maps, np.hstack([mean, every, own]), parts, float(sources.log_spread.mean()), spread)


Part = tuple[int, Array, float]


def _part(trend: int, centres: Sequence[float], num: int, share: float) -> Part:
    """Return (trend, draws (num, groups + 1), prior probability of each draw)."""
    spreads = [*[WEIGHT_SPREAD] * (len(centres) - 1), NOISE_SPREAD]
    return trend, np.exp(np.array(centres) + _normal_draws(len(centres), num) * spreads), share / num


@lru_cache(maxsize=32)
def _normal_draws(num_columns: int, num: int) -> Array:
    from scipy.stats import norm, qmc

    points = qmc.Sobol(num_columns, seed=0).random(num)
    return np.asarray(norm.ppf(np.clip(points, 1e-4, 1 - 1e-4)))


def _joined(maps: list[Array], trends: Array, parts: Sequence[Part], log_spread: float, deviation: float) -> Hypotheses:
    steps = np.linspace(-2.0, 2.0, NUM_SCALES)
    log_scale_prior = -0.5 * steps**2
    draws = np.vstack([draw for _, draw, _ in parts])
    return Hypotheses(
        maps=tuple(maps),
        trends=trends,
        trend=np.repeat([trend for trend, _, _ in parts], [len(draw) for _, draw, _ in parts]).astype(np.intp),
        weights=draws[:, :-1],
        noise=draws[:, -1],
        log_prior=np.log(np.repeat([share for _, _, share in parts], [len(draw) for _, draw, _ in parts])),
        scales=np.exp(log_spread + deviation * steps),
        log_scale_prior=log_scale_prior - np.log(np.exp(log_scale_prior).sum()),
    )


def _own_trends(encoding: Encoding) -> Array:
    """Return (p, F): for each group of trends its columns' mean and each column; the mean of all where none is."""
    num = len(encoding.centre)
    found = []
    for group, part in zip(encoding.groups, encoding.slices, strict=True):
        if group.trend:
            varying = np.flatnonzero(encoding.scale[part]) + part.start
            found += [np.isin(np.arange(num), varying).astype(float), *np.eye(num)[varying]]
    return np.stack(found or [np.ones(num)], axis=1)


def _unit(rows: Array, trends: Array) -> Array:
    """Return ``trends`` (p, F) divided by their standard deviation over ``rows``; a flat one is zero."""
    spread = (rows @ trends).std(axis=0)
    return np.asarray(trends * np.where(spread > 0, 1.0 / np.where(spread > 0, spread, 1.0), 0.0))


def _equal_variance(rows: Array, columns: Array) -> Array:
    length = float(np.sqrt(((rows @ columns) ** 2).sum(axis=1).mean()))
    return columns / length if length > 1e-9 else np.zeros_like(columns)
