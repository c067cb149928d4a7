"""The compound rule of one data set and one device, learned from networks that share weights.

Two laws are fitted to a table of networks, x_k being the log of dimension k (depth, width, resolution) over the table's
geometric mean:

    log cost  = c + sum_k kappa_k x_k                        (least squares)
    log error = log(E + sum_k A_k exp(-alpha_k x_k))         (maximum a posteriori)

The error is a sum: each dimension alone can only bring down its own term, so returns diminish in each, and a network
that grows in one alone ends at the others' terms (the form of Chinchilla's law and of Alabdulmohsin et al. 2023, in the
three dimensions of a convolutional network). The best growth for t units of log cost spends where the next unit brings
most, until returns are equal: alpha_k A_k exp(-alpha_k x_k) / kappa_k is one number for all dimensions that grow.

A supernetwork spans a factor of two or three in each dimension: slopes are told by it, curvatures hardly. The prior
says: along any one dimension the error above the rest falls like MACs^-1/2, as that of RegNets does, within a factor of
two (one deviation); the terms' shares of the error are open. Draws of the bootstrap resample the networks and move the
prior's centre by its own spread, so that what the data does not tell is uncertain in them. The rule's exponents are
those of the growth that is best on average over the draws; their intervals are the draws' own best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaling.shape import DIMENSIONS
from search_spaces.errors import UsageError

Array = NDArray[np.float64]

MACS_POWERS = np.array([1.0, 2.0, 2.0])
"""MACs grow with d w^2 r^2."""
PRIOR_EXPONENT = 0.5
PRIOR_LOG_SPREAD = np.log(2.0)
SHARE_SPREAD = 1.5
LEAST_NOISE = 0.01
LEAST_COST_EXPONENT = 1e-3
BOUNDS = [(None, None), *[(-4.0, 3.0)] * 3, *[(-8.0, 8.0)] * 3]
"""Of the level, log alpha and share logits: far beyond what the priors leave likely; they keep steps finite."""
GROWTH = 4.0
LEVEL = 0.9
MIN_NETWORKS = 30
MIN_SPAN = 1.2
LONGEST = 40.0
"""Largest log of a factor that a dimension is searched to."""


@dataclass(frozen=True, eq=False)
class ShapeTable:
    """Evaluated networks.

    Attributes:
        shapes: depth, width and resolution, (n, 3), as ``shape_of``.
        errors: in percent, (n,), positive.
        costs: of what the rule shall spend, (n,), positive.
    """

    shapes: Array
    errors: Array
    costs: Array


@dataclass(frozen=True, eq=False)
class ShapeFit:
    """What was learned; dimensions in the order of ``DIMENSIONS``.

    Attributes:
        centre: geometric mean shape of the table. lowest, highest: shapes that it spans.
        exponents: growth of each dimension a unit of log cost, (3,), of the rule.
        low, high: interval of each.
        cost_exponents: kappa, (3,). cost_r2: share of the variance of log cost that they explain.
        error_exponents: alpha, (3,). error_shares: of the error at the centre, A then E, (4,).
        rmse_log_error: of the fit.
        growth: of the cost at which the exponents are best.
        num_networks: in the table.
    """

    centre: Array
    lowest: Array
    highest: Array
    exponents: Array
    low: Array
    high: Array
    cost_exponents: Array
    cost_r2: float
    error_exponents: Array
    error_shares: Array
    rmse_log_error: float
    growth: float
    num_networks: int


def fit_shape(table: ShapeTable, growth: float = GROWTH, num_draws: int = 100, seed: int = 0) -> ShapeFit:
    """Return the exponents that ``table`` teaches.

    Args:
        table: networks whose dimensions vary independently.
        growth: of the cost that the exponents are best for; above 1.
        num_draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        UsageError: too few networks, a number that is not positive, a dimension that hardly varies or moves with
            another, a cost that does not grow with every dimension, or a growth that is not above 1.
    """
    _check(table, growth)
    logs = np.log(table.shapes)
    centre: Array = logs.mean(0)
    x, errors, costs = logs - centre, np.log(table.errors), np.log(table.costs)
    kappa, r2 = _cost_law(x, costs)
    for name, exponent in zip(DIMENSIONS, kappa, strict=True):
        if exponent <= 0:
            raise UsageError(f"the cost does not grow with {name} (log slope {exponent:.3g}): measure it again")
    rng = np.random.default_rng(seed)
    prior = np.log(PRIOR_EXPONENT * MACS_POWERS)
    best, rmse = _error_law(x, errors, prior)
    draws = []
    for _ in range(num_draws):
        rows = rng.integers(len(x), size=len(x))
        centre_of_prior = prior + rng.normal(0, PRIOR_LOG_SPREAD, 3)
        drawn_kappa, _ = _cost_law(x[rows], costs[rows])
        vector, _ = _error_law(x[rows], errors[rows], centre_of_prior, rng.normal(0, SHARE_SPREAD, 3), best)
        draws.append((np.maximum(drawn_kappa, LEAST_COST_EXPONENT), vector))
    vectors = np.array([vector for _, vector in draws])
    own = np.array([best_growth(vector[None], each, np.log(growth)) for each, vector in draws]) / np.log(growth)
    tails = (50 * (1 - LEVEL), 100 - 50 * (1 - LEVEL))
    low, high = np.percentile(own, tails, axis=0)
    alpha, shares = _read(best)
    return ShapeFit(
        centre=np.exp(centre),
        lowest=table.shapes.min(0),
        highest=table.shapes.max(0),
        exponents=best_growth(vectors, kappa, np.log(growth)) / np.log(growth),
        low=low,
        high=high,
        cost_exponents=kappa,
        cost_r2=r2,
        error_exponents=alpha,
        error_shares=shares,
        rmse_log_error=rmse,
        growth=growth,
        num_networks=len(x),
    )


def _check(table: ShapeTable, growth: float) -> None:
    if not (growth > 1 and np.isfinite(growth)):
        raise UsageError(f"growth got {growth:g}: give a number above 1")
    if len(table.errors) < MIN_NETWORKS:
        raise UsageError(f"{len(table.errors)} networks are too few to learn a rule from: give {MIN_NETWORKS} or more")
    for name, values in (("shape", table.shapes), ("error", table.errors), ("cost", table.costs)):
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise UsageError(
                f"an entry of the {name}s in the table is not positive: a rule is learned in logs (errors above 0 %)"
            )
    spans = table.shapes.max(0) / table.shapes.min(0)
    for name, span in zip(DIMENSIONS, spans, strict=True):
        if span < MIN_SPAN:
            raise UsageError(
                f"{name} varies by a factor of {span:.3g} in the table: give networks that vary it by {MIN_SPAN:g} or "
                "more, as a space with several widths and resolutions"
            )
    correlation = np.corrcoef(np.log(table.shapes).T) - np.eye(3)
    if np.abs(correlation).max() > 0.95:
        first, second = divmod(int(np.abs(correlation).argmax()), 3)
        pair = f"{DIMENSIONS[first]} and {DIMENSIONS[second]}"
        raise UsageError(f"{pair} move together in the table: give networks that vary each alone")


def _cost_law(x: Array, log_costs: Array) -> tuple[Array, float]:
    """Return kappa, (3,), and R2."""
    design = np.column_stack([np.ones(len(x)), x])
    found = np.linalg.lstsq(design, log_costs, rcond=None)[0]
    left = log_costs - design @ found
    return np.asarray(found[1:]), float(1 - left.var() / max(float(log_costs.var()), 1e-12))


def _error_law(
    x: Array,
    log_errors: Array,
    prior: Array,
    share_prior: Array | None = None,
    start: Array | None = None,
) -> tuple[Array, float]:
    """Return (level, log alpha (3), share logits (3) over the floor's) of maximum posterior, and the fit's error.

    The noise is first taken for that of a line in logs, then for what the fit leaves.
    """
    from scipy.optimize import minimize

    shares = np.zeros(3) if share_prior is None else share_prior
    begin = np.concatenate([[log_errors.mean()], prior, shares]) if start is None else start
    design = np.column_stack([np.ones(len(x)), x])
    noise = max(LEAST_NOISE, float(np.std(log_errors - design @ np.linalg.lstsq(design, log_errors, rcond=None)[0])))
    expected = np.concatenate([[0.0], prior, shares])
    # The level is open.
    spreads = np.array([np.inf, *[PRIOR_LOG_SPREAD] * 3, *[SHARE_SPREAD] * 3])
    for _ in range(2):

        def loss(vector: Array, sigma: float = noise) -> tuple[float, Array]:
            line, slopes = _log_error(vector, x)
            left = (line - log_errors) / sigma
            pulls = (vector - expected) / spreads
            return float(left @ left + pulls @ pulls) / 2, slopes @ left / sigma + pulls / spreads

        begin = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=BOUNDS).x
        rmse = float(np.sqrt(np.mean((_log_error(begin, x)[0] - log_errors) ** 2)))
        noise = max(LEAST_NOISE, rmse)
    return begin, rmse


def _read(vector: Array) -> tuple[Array, Array]:
    """Return alpha, (3,), and the shares of depth, width, resolution and floor in the error at the centre, (4,)."""
    logits = np.append(vector[4:], 0.0)
    weights = np.exp(logits - logits.max())
    return np.exp(vector[1:4]), weights / weights.sum()


def _log_error(vector: Array, x: Array) -> tuple[Array, Array]:
    """Return the log error, (n,), and its slopes in the parameters, (7, n)."""
    alpha, shares = _read(vector)
    terms = shares[:3] * np.exp(-alpha * x)
    total = terms.sum(1) + shares[3]
    by_alpha = -(terms * alpha * x) / total[:, None]
    # Of a softmax: a share that grows takes from all in proportion, itself included.
    by_share = (terms - shares[:3] * total[:, None]) / total[:, None]
    slopes = np.vstack([np.ones(len(x)), by_alpha.T, by_share.T])
    return vector[0] + np.log(total), slopes


def best_growth(vectors: Array, kappa: Array, log_cost: float) -> Array:
    """Return the logs of the factors of depth, width and resolution, (3,), that cost ``log_cost`` and err least.

    The error is the mean over ``vectors``, (draws, 7); no dimension shrinks. Returns a unit of log cost fall in each
    dimension, so the best growth is where they are equal, found by bisection.
    """
    alphas, shares = zip(*map(_read, vectors), strict=True)
    alpha, amplitude = np.array(alphas), np.exp(vectors[:, :1]) * np.array(shares)[:, :3]

    def grown(log_return: float) -> Array:
        """Return each dimension's growth down to a return, (3,)."""
        low, high = np.zeros(3), np.full(3, LONGEST)
        for _ in range(32):
            middle = (low + high) / 2
            returns = (alpha * amplitude * np.exp(-alpha * middle)).mean(0) / kappa
            more = np.log(np.maximum(returns, 1e-300)) > log_return
            low, high = np.where(more, middle, low), np.where(more, high, middle)
        return low

    low, high = -200.0, 50.0
    for _ in range(44):
        middle = (low + high) / 2
        low, high = (middle, high) if kappa @ grown(middle) > log_cost else (low, middle)
    found = grown((low + high) / 2)
    scaled: Array = found * log_cost / max(float(kappa @ found), 1e-12)
    return scaled
