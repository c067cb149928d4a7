"""How predictions of latency or accuracy are judged: by rank, error and interval, over seeds and over targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.validation import HALF_WIDTH_90, Validation

Array = NDArray[np.float64]


def scores(actual: Array, mean: Array, deviation: Array | None) -> dict[str, float]:
    """Return the figures of one fit over all networks; no interval figures where there is no deviation."""
    found = Validation(actual, mean, deviation if deviation is not None else np.full(len(actual), np.nan))
    relative = np.abs(found.errors / actual)
    figures = {
        "spearman": found.spearman,
        "kendall": found.kendall_tau,
        "median_error_percent": 100 * float(np.median(relative)),
        "within_10_percent": 100 * float(np.mean(relative <= 0.1)),
    }
    if deviation is not None:
        figures["coverage_90_percent"] = 100 * found.coverage_90
        figures["interval_width_percent"] = 100 * float(2 * HALF_WIDTH_90 * deviation.mean() / actual.mean())
    return figures


def over_seeds(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return each figure's mean, and its standard deviation over seeds as ``*_sd`` for those that rank."""
    found: dict[str, Any] = {}
    for key in rows[0]:
        values = np.array([row[key] for row in rows])
        found[key] = round(float(values.mean()), 4)
        if key in ("spearman", "kendall"):
            found[f"{key}_sd"] = round(float(values.std()), 4)
    return found


def over_targets(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean over targets of every figure."""
    figures = [key for key, value in rows[0].items() if isinstance(value, float)]
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in figures}
