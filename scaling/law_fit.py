"""Fitting a law: least Huber loss of log residuals from a grid of starts; intervals by bootstrap.

The fit is that of Hoffmann et al. 2022 (appendix D.2). The bootstrap is of residuals, which keeps the points where they
were measured: each draw adds the fit's residuals, shuffled with replacement and widened by sqrt(n / (n - parameters)),
to its predictions, and is fitted again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from scaling.law import Array, Law
from scaling.law_points import Points, require_enough, require_falling, variables_of

HUBER_DELTA = 1e-3
SMOOTH_DELTA = 0.1
POLISHED = 3
EXPONENTS = (0.1, 0.3, 0.6, 1.2)
SHARES = (0.05, 0.3, 0.7, 0.95)
EXPONENT_BOUNDS = (1e-3, 10.0)
COEFFICIENT_BOUNDS = (-30.0, 30.0)
LEVEL = 0.9
LARGEST_STEP = 8.0
"""How many times beyond the largest fitted point a prediction is trusted: fitted on an eighth of the range or more."""


@dataclass(frozen=True, eq=False)
class LawFit:
    """A fitted law.

    Attributes:
        law: its form.
        vector: coefficients' logs at ``centre``, then exponents.
        draws: the same of every bootstrap draw, (draws, parameters).
        raw_residuals: log of measured over fitted, (n,).
        centre: mean of the log variables.
        largest: of each variable that was fitted.
    """

    law: Law
    vector: Array
    draws: Array
    raw_residuals: Array
    centre: Array
    largest: Array

    @property
    def residuals(self) -> Array:
        """The residuals widened for the parameters that were fitted to them."""
        return _widened(self.law, self.raw_residuals)

    def parameters(self) -> dict[str, float]:
        """Return coefficients and exponents as the law's paper names them."""
        return _named(self.law, self.vector, self.centre)

    def intervals(self, level: float = LEVEL) -> dict[str, tuple[float, float]]:
        """Return (low, high) of each parameter over the bootstrap's draws."""
        drawn = [_named(self.law, draw, self.centre) for draw in self.draws]
        tails = (50 * (1 - level), 100 - 50 * (1 - level))
        found = {name: np.percentile([each[name] for each in drawn], tails) for name in self.parameters()}
        return {name: (float(low), float(high)) for name, (low, high) in found.items()}

    def predict(self, variables: Array) -> Array:
        """Return the errors, (n,), of variables (n, variables)."""
        predicted: Array = np.exp(_log_prediction(self.law, self.vector, np.log(variables) - self.centre)[0])
        return predicted

    def predict_interval(self, variables: Array, level: float = LEVEL, seed: int = 0) -> tuple[Array, Array]:
        """Return (low, high), each (n,), of errors that would be measured: the draws' lines, each with a residual."""
        logs = np.log(variables) - self.centre
        lines = np.array([_log_prediction(self.law, draw, logs)[0] for draw in self.draws])
        lines += np.random.default_rng(seed).choice(self.residuals, lines.shape)
        low, high = np.quantile(lines, ((1 - level) / 2, (1 + level) / 2), axis=0)
        return np.exp(low), np.exp(high)

    def too_far(self, variables: Array) -> NDArray[np.bool_]:
        """Return which rows, (n,), lie so far beyond the fitted points that those span less than an eighth."""
        return np.asarray((variables > LARGEST_STEP * self.largest).any(1))


def fit_law(law: Law, points: Points, noise: float = 0.0, num_draws: int = 200, seed: int = 0) -> LawFit:
    """Return the law fitted to ``points``.

    Args:
        law: the form.
        points: measured errors.
        noise: rises of the error up to so much are taken for noise.
        num_draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        UsageError: too few points, a number that is not positive, or an error that rises by more than ``noise``.
    """
    variables = variables_of(law, points)
    require_enough(law, variables)
    require_falling(points, variables, noise)
    logs, target = np.log(variables), np.log(points.errors)
    centre: Array = logs.mean(0)
    fitted = _best(law, logs - centre, target, _starts(law, target))
    line = _log_prediction(law, fitted, logs - centre)[0]
    residuals = _widened(law, target - line)
    rng = np.random.default_rng(seed)
    draws = [
        _best(law, logs - centre, line + rng.choice(residuals, len(residuals)), [fitted]) for _ in range(num_draws)
    ]
    return LawFit(law, fitted, np.array(draws), target - line, centre, variables.max(0))


def _widened(law: Law, residuals: Array) -> Array:
    widened: Array = residuals * np.sqrt(len(residuals) / (len(residuals) - law.num_parameters))
    return widened


def _starts(law: Law, target: Array) -> Iterator[Array]:
    """Yield starts: every exponent of the grid, and shares of the error at the centre among the terms."""
    num_exponents = law.num_parameters - len(law.terms)
    level = float(np.median(target))
    for share in SHARES if len(law.terms) > 1 else (1.0,):
        # The last term gets the share, the others what is left in equal parts.
        parts = [(1 - share) / max(1, len(law.terms) - 1)] * (len(law.terms) - 1) + [share]
        coefficients = level + np.log(parts)
        for exponents in product(EXPONENTS, repeat=num_exponents):
            yield np.concatenate([coefficients, exponents])


def _best(law: Law, logs: Array, target: Array, starts: Iterator[Array] | list[Array]) -> Array:
    """Return the parameters of least Huber loss."""
    from scipy.optimize import minimize

    num_terms = len(law.terms)
    bounds = [COEFFICIENT_BOUNDS] * num_terms + [EXPONENT_BOUNDS] * (law.num_parameters - num_terms)

    def objective(vector: Array, delta: float) -> tuple[float, Array]:
        line, slopes = _log_prediction(law, vector, logs)
        residuals = line - target
        size = np.abs(residuals)
        loss = np.where(size <= delta, residuals**2 / 2, delta * (size - delta / 2))
        # In units of delta^2, so that the solver's tolerances fit.
        return float(loss.sum() / delta**2), slopes @ np.clip(residuals, -delta, delta) / delta**2

    def improved(start: Array, delta: float) -> tuple[float, Array]:
        found = minimize(objective, start, (delta,), jac=True, method="L-BFGS-B", bounds=bounds)
        return float(found.fun), found.x

    # The loss of the published delta is nearly that of absolute values, which the solver takes long to come down; from
    # each start it first comes down a smoother one.
    smooth = sorted((improved(start, SMOOTH_DELTA) for start in starts), key=itemgetter(0))[:POLISHED]
    return min((improved(vector, HUBER_DELTA) for _, vector in smooth), key=itemgetter(0))[1]


def _log_prediction(law: Law, vector: Array, logs: Array) -> tuple[Array, Array]:
    """Return the log error, (n,), and its slopes in the parameters, (parameters, n)."""
    num_terms = len(law.terms)
    parts = np.repeat(vector[:num_terms, None], len(logs), axis=1)
    owners = [index for index, term in enumerate(law.terms) if term.input is not None]
    for exponent, index in zip(vector[num_terms:], owners, strict=True):
        parts[index] -= exponent * logs[:, law.terms[index].input]
    top = parts.max(0)
    weights = np.exp(parts - top)
    total = weights.sum(0)
    shares = weights / total
    slopes = [-shares[index] * logs[:, law.terms[index].input] for index in owners]
    return top + np.log(total), np.vstack([shares, *slopes])


def _named(law: Law, vector: Array, centre: Array) -> dict[str, float]:
    """Return the parameters by the law's names, its coefficients at variables of 1, and what is derived from them."""
    exponents = iter(vector[len(law.terms) :])
    found: dict[str, float] = {}
    for term, coefficient in zip(law.terms, vector, strict=False):
        if term.input is None:
            found[term.coefficient] = float(np.exp(coefficient))
        else:
            exponent = float(next(exponents))
            found[term.coefficient] = float(np.exp(coefficient + exponent * centre[term.input]))
            found[term.exponent] = exponent
    return found | law.derived(found)
