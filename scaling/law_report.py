"""What a fitted law says: parameters with intervals, misses on larger points, where not to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scaling.law import Array, Law
from scaling.law_fit import LARGEST_STEP, LEVEL, LawFit, fit_law
from scaling.law_points import Points, variables_of
from search_spaces.errors import UsageError


def law_report(
    law: Law,
    points: Points,
    asked: Array,
    hold_out_above: float | None = None,
    noise: float = 0.0,
    num_draws: int = 200,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the fit as plain data.

    Args:
        law: the form.
        points: measured errors.
        asked: inputs to predict at, (m, columns).
        hold_out_above: points whose first input is larger are predicted, not fitted; None fits all.
        noise: as ``fit_law``.
        num_draws: as ``fit_law``.
        seed: as ``fit_law``.

    Raises:
        UsageError: as ``fit_law`` raises; no point is held out; an input that is asked is not positive.
    """
    held = np.zeros(len(points.errors), bool) if hold_out_above is None else points.inputs[:, 0] > hold_out_above
    if hold_out_above is not None and not held.any():
        raise UsageError(
            f"no {law.columns[0]} is above {hold_out_above:g} (the largest is {points.inputs[:, 0].max():g}): nothing "
            "is held out"
        )
    fit = fit_law(law, points.take(~held), noise, num_draws, seed)
    intervals = fit.intervals()
    held_rows, asked_rows = _held_out(fit, points.take(held)), _predictions(fit, asked)
    return {
        "law": law.name,
        "fitted_points": int((~held).sum()),
        "rmse_percent": round(float(100 * np.sqrt(np.mean(fit.raw_residuals**2))), 3),
        "interval_level": LEVEL,
        "obtained": "predicted",
        "parameters": [
            {"name": name, "value": value, "low": intervals[name][0], "high": intervals[name][1]}
            for name, value in fit.parameters().items()
        ],
        **(_summary(held_rows) if held_rows else {}),
        **({"predictions": asked_rows} if asked_rows else {}),
        "warnings": _warnings([*held_rows, *asked_rows]),
    }


def _held_out(fit: LawFit, points: Points) -> list[dict[str, Any]]:
    if not len(points.errors):
        return []
    rows = _rows(fit, points.names, variables_of(fit.law, points))
    for row, measured in zip(rows, points.errors, strict=True):
        row |= {
            "measured": float(measured),
            "miss": row["predicted"] - float(measured),
            "inside": row["low"] <= measured <= row["high"],
        }
    return rows


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    misses = [abs(row["miss"]) for row in rows]
    mean, largest = float(np.mean(misses)), float(max(misses))
    return {"held_out": rows, "held_out_mean_miss": mean, "held_out_largest_miss": largest}


def _predictions(fit: LawFit, asked: Array) -> list[dict[str, Any]]:
    if not len(asked):
        return []
    names = [", ".join(f"{value:g}" for value in row) for row in asked]
    return _rows(fit, names, variables_of(fit.law, Points(names, asked, np.ones(len(asked)))))


def _rows(fit: LawFit, names: Sequence[str], variables: Array) -> list[dict[str, Any]]:
    low, high = fit.predict_interval(variables)
    columns = zip(names, fit.predict(variables), low, high, fit.too_far(variables), strict=True)
    return [
        {"point": name, "predicted": float(value), "low": float(least), "high": float(most), "too_far": bool(far)}
        for name, value, least, most, far in columns
    ]


def _warnings(rows: Sequence[dict[str, Any]]) -> list[str]:
    far = [row["point"] for row in rows if row["too_far"]]
    if not far:
        return []
    return [
        f"fitted on less than an eighth of the range: {', '.join(far)} more than {LARGEST_STEP:g} times the largest "
        "fitted point: do not rely on it"
    ]
