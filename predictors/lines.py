"""The simplest latency models: a column in milliseconds as it is, times one constant, or on a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from predictors.kernels import Array
from search_spaces.errors import UsageError

# Relative error of the roofline alone on public single-kernel timings (see ``predictors.roofline``).
ANALYTIC_DEVIATION = 0.4
# Relative error of one constant between sister cards on public tables, worth this many residuals.
PRIOR_DEVIATION, PRIOR_RESIDUALS = 0.15, 2.0
# Predictions of a line stay above this share of its least sample.
LEAST_SHARE = 0.1


@dataclass(frozen=True)
class Straight:
    """``offset_ms + slope * column``; the deviation is relative."""

    column: str
    offset_ms: float
    slope: float
    relative_deviation: float
    least_ms: float = 0.0

    def predict_inputs(self, inputs: Mapping[str, ArrayLike]) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,)."""
        mean = np.maximum(self.offset_ms + self.slope * column_ms(inputs, self.column), self.least_ms)
        return mean, self.relative_deviation * mean


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
        return Straight(self.column, 0.0, 1.0, ANALYTIC_DEVIATION)


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
        ratios = np.log(latency_ms / column_ms(inputs, self.column))
        centre = float(np.median(ratios))
        return Straight(self.column, 0.0, float(np.exp(centre)), _pooled(ratios - centre, 1))


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
        from scipy.optimize import nnls

        column = column_ms(inputs, self.column)
        (offset, slope), _ = nnls(
            np.column_stack([np.ones_like(column), column]) / latency_ms[:, None], np.ones(len(column))
        )
        residuals = 1 - (offset + slope * column) / latency_ms
        least = LEAST_SHARE * float(latency_ms.min())
        return Straight(self.column, float(offset), float(slope), _pooled(residuals, 2), least)


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


def _pooled(residuals: Array, num_fitted: int) -> float:
    """Return the deviation of relative residuals, a few of them a priori."""
    freedom = PRIOR_RESIDUALS + max(len(residuals) - num_fitted, 0)
    return float(np.sqrt((PRIOR_RESIDUALS * PRIOR_DEVIATION**2 + np.sum(residuals**2)) / freedom))
