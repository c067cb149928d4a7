"""The simplest latency models: a column in milliseconds as it is, times one constant, or on a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from predictors.intervals import upper_factor
from predictors.kernels import Array
from predictors.validation import Validation
from search_spaces.errors import UsageError

# Relative error of the roofline alone on public single-kernel timings (see ``predictors.roofline``).
ANALYTIC_DEVIATION = 0.4
# Relative error of one constant between sister cards on public tables, worth this many residuals.
PRIOR_DEVIATION, PRIOR_RESIDUALS = 0.15, 2.0
# Predictions of a line stay above this share of its least sample.
LEAST_SHARE = 0.1
# A limit needs a residual beside the one that the constant takes.
MIN_CHECKED = 2
NOT_CHECKED = Validation(np.empty(0), np.empty(0), np.empty(0))
# (offset_ms, slope, relative deviation, least_ms)
Fitted = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Straight:
    """``offset_ms + slope * column``; the deviation is relative.

    Attributes:
        column: name of the column in milliseconds.
        offset_ms: at zero.
        slope: milliseconds for each of the column.
        relative_deviation: standard deviation over mean.
        least_ms: predictions stay at or above it.
        check: each measurement predicted from the others; empty where nothing was fitted.
    """

    column: str
    offset_ms: float
    slope: float
    relative_deviation: float
    least_ms: float
    check: Validation

    def predict_inputs(self, inputs: Mapping[str, ArrayLike]) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,)."""
        mean = self._mean(column_ms(inputs, self.column))
        return mean, self.relative_deviation * mean

    def upper_ms(self, inputs: Mapping[str, ArrayLike], confidence: float = 0.95) -> Array:
        """Return limits in milliseconds, (n,), each of which the measurement stays under with this probability.

        Raises:
            UsageError: fewer than two measurements, or a confidence not between 0.5 and 1.
        """
        if len(self.check.actual) < MIN_CHECKED:
            raise UsageError(f"{self.column}: a limit needs {MIN_CHECKED} measurements at least: measure more networks")
        mean, deviation = self.predict_inputs(inputs)
        return mean + upper_factor(self.check, confidence) * deviation

    def leave_one_out(self) -> Validation:
        """Return each measured network predicted from the others."""
        return self.check

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, the inverse of ``from_dict``."""
        check = self.check
        return {
            "column": self.column,
            "offset_ms": self.offset_ms,
            "slope": self.slope,
            "relative_deviation": self.relative_deviation,
            "least_ms": self.least_ms,
            "check": [check.actual.tolist(), check.predicted.tolist(), check.deviation.tolist()],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Straight:
        """Return the model of ``to_dict``'s data; it predicts the same numbers.

        Raises:
            UsageError: a key is missing or holds something else.
        """
        try:
            offset_ms, slope, spread, least_ms = (
                float(content[key]) for key in ("offset_ms", "slope", "relative_deviation", "least_ms")
            )
            actual, predicted, deviation = (np.array(each, dtype=np.float64) for each in content["check"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"the latency model can't be read ({type(error).__name__}: {error}): expected keys column, offset_ms, "
                "slope, relative_deviation, least_ms, check; fit it again"
            ) from None
        return cls(str(content["column"]), offset_ms, slope, spread, least_ms, Validation(actual, predicted, deviation))

    def _mean(self, column: Array) -> Array:
        return np.maximum(self.offset_ms + self.slope * column, self.least_ms)


@dataclass(frozen=True)
class Analytic:
    """The column as it is."""

    column: str
    min_samples: int = 0

    @property
    def name(self) -> str:
        """How errors and reasons call it."""
        return self.column

    def fit(self, _inputs: Mapping[str, ArrayLike], _latency_ms: Array) -> Straight:
        """Return the column; measurements change nothing."""
        return Straight(self.column, 0.0, 1.0, ANALYTIC_DEVIATION, 0.0, NOT_CHECKED)


@dataclass(frozen=True)
class OneConstant:
    """The column times the median ratio of the measurements."""

    column: str
    min_samples: int = 1

    @property
    def name(self) -> str:
        """How errors and reasons call it."""
        return f"{self.column} x constant"

    def fit(self, inputs: Mapping[str, ArrayLike], latency_ms: Array) -> Straight:
        """Return the fitted model."""
        return _checked(self.column, _constant, column_ms(inputs, self.column), latency_ms)


@dataclass(frozen=True)
class Line:
    """A fixed time plus the column times a constant, by least squares of relative errors; neither is negative."""

    column: str
    min_samples: int = 3

    @property
    def name(self) -> str:
        """How errors and reasons call it."""
        return f"{self.column} on a line"

    def fit(self, inputs: Mapping[str, ArrayLike], latency_ms: Array) -> Straight:
        """Return the fitted model."""
        return _checked(self.column, _line, column_ms(inputs, self.column), latency_ms)


def column_ms(inputs: Mapping[str, ArrayLike], name: str) -> Array:
    """Return a column of positive milliseconds, (n,).

    Raises:
        UsageError: it is missing, is no single column, or holds other values.
    """
    if name not in inputs:
        raise UsageError(f"the column {name!r} is missing: given: {', '.join(inputs)}")
    matrix = np.asarray(inputs[name], dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != 1:
        raise UsageError(f"{name} has shape {matrix.shape}: give one column")
    wrong = int((~(np.isfinite(matrix) & (matrix > 0))).sum())
    if wrong:
        raise UsageError(f"{name}: {wrong} of {len(matrix)} rows are not above zero: give milliseconds")
    return matrix[:, 0]


def _constant(column: Array, latency_ms: Array) -> Fitted:
    ratios = np.log(latency_ms / column)
    centre = float(np.median(ratios))
    return 0.0, float(np.exp(centre)), _pooled(ratios - centre, 1), 0.0


def _line(column: Array, latency_ms: Array) -> Fitted:
    from scipy.optimize import nnls

    matrix = np.column_stack([np.ones_like(column), column]) / latency_ms[:, None]
    (offset, slope), _ = nnls(matrix, np.ones(len(column)))
    residuals = 1 - (offset + slope * column) / latency_ms
    return float(offset), float(slope), _pooled(residuals, 2), LEAST_SHARE * float(latency_ms.min())


def _checked(name: str, fit: Callable[[Array, Array], Fitted], column: Array, latency_ms: Array) -> Straight:
    """Return the model that ``fit`` gives, with every measurement predicted by a fit to the others."""
    found = Straight(name, *fit(column, latency_ms), NOT_CHECKED)
    if len(latency_ms) < MIN_CHECKED:
        return found
    predicted, deviation = np.empty((2, len(latency_ms)))
    for index in range(len(latency_ms)):
        kept = np.arange(len(latency_ms)) != index
        other = Straight(name, *fit(column[kept], latency_ms[kept]), NOT_CHECKED)
        mean, spread = other.predict_inputs({name: column[index : index + 1, None]})
        predicted[index], deviation[index] = mean[0], spread[0]
    return replace(found, check=Validation(latency_ms, predicted, deviation))


def _pooled(residuals: Array, num_fitted: int) -> float:
    """Return the deviation of relative residuals, a few of them a priori."""
    freedom = PRIOR_RESIDUALS + max(len(residuals) - num_fitted, 0)
    return float(np.sqrt((PRIOR_RESIDUALS * PRIOR_DEVIATION**2 + np.sum(residuals**2)) / freedom))
