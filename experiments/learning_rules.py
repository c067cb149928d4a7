"""From a finished study to the compound rule of its data and its device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scaling.learned import LEVEL, ShapeFit, ShapeTable, fit_shape
from scaling.shape import DIMENSIONS

NOTES = (
    "errors are those of inherited weights on validation images: a supernetwork trains its large networks less well "
    "than alone, so growth may pay more than it seems to",
    "costs beyond the space are taken to grow as inside it",
    "other data, other devices and much longer schedules have other exponents: learn again",
)


def learned_rule(
    rows: Sequence[Mapping[str, Any]], cost: str, growth: float, seed: int, num_draws: int = 100
) -> dict[str, Any]:
    """Return the content of a learned rule's file: exponents with intervals, and what they rest on.

    Args:
        rows: of ``shape_rows``.
        cost: what the rows' cost is.
        growth: of the cost for which the exponents are best.
        seed: of the bootstrap.
        num_draws: of it.

    Raises:
        UsageError: as ``fit_shape``.
    """
    columns = (*DIMENSIONS, "validation_error", "cost")
    numbers = np.array([[row[name] for name in columns] for row in rows], dtype=np.float64).reshape(-1, len(columns))
    fit = fit_shape(ShapeTable(numbers[:, :3], numbers[:, 3], numbers[:, 4]), growth, num_draws, seed)
    return {
        "rule": "learned",
        "cost": cost,
        "cost_obtained": rows[0]["cost_obtained"],
        "growth": fit.growth,
        "exponents": _named(fit.exponents),
        "intervals": {
            name: [float(low), float(high)] for name, low, high in zip(DIMENSIONS, fit.low, fit.high, strict=True)
        },
        "interval_level": LEVEL,
        "networks": fit.num_networks,
        "spans": {
            name: [float(low), float(high)] for name, low, high in zip(DIMENSIONS, fit.lowest, fit.highest, strict=True)
        },
        "fit": _fit(fit),
        "obtained": "predicted",
        "notes": list(NOTES),
    }


def _fit(fit: ShapeFit) -> dict[str, Any]:
    return {
        "cost_exponents": _named(fit.cost_exponents),
        "cost_r2": fit.cost_r2,
        "error_exponents": _named(fit.error_exponents),
        "error_shares": dict(zip((*DIMENSIONS, "floor"), map(float, fit.error_shares), strict=True)),
        "rmse_log_error": fit.rmse_log_error,
    }


def _named(values: Any) -> dict[str, float]:
    return dict(zip(DIMENSIONS, map(float, values), strict=True))
