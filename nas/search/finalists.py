"""Choosing the most accurate network within a bound on latency, when latencies are predicted and a few may be timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import UsageError

Array = NDArray[np.float64]

# Below this chance of keeping the bound a measurement is not worth making.
LEAST_CHANCE = 0.001


@dataclass(frozen=True)
class Finalists:
    """What was timed, and the choice.

    Attributes:
        chosen: the row of the most accurate network whose measured latency keeps the bound; None: there is none.
        measured_ms: row -> latency, in the order of measuring.
    """

    chosen: int | None
    measured_ms: dict[int, float]


def choose_within(
    accuracy: Array,
    upper_ms: float,
    predict: Callable[[Mapping[int, float]], tuple[Array, Array]],
    measure: Callable[[int], float],
    num: int,
    measured: Mapping[int, float] = MappingProxyType({}),
) -> Finalists:
    """Return the choice after timing at most ``num`` networks more.

    Each time the network is timed that promises most: the accuracy that it adds to the best one known to keep the
    bound, times its chance to keep it. Networks that only a prediction lets pass are never chosen.

    Args:
        accuracy: of n evaluated networks, (n,); NaN is never chosen.
        upper_ms: the bound.
        predict: from what was timed so far to (mean, standard deviation) of all n in milliseconds.
        measure: times one row.
        num: measurements at most.
        measured: row -> latency of what was timed before.

    Raises:
        UsageError: ``num`` is below 1, or the bound is not above zero.
    """
    from scipy.special import ndtr

    if num < 1 or not upper_ms > 0:
        raise UsageError(f"finalists is {num} and the bound {upper_ms:g} ms: give at least 1 finalist, above 0 ms")
    measured, most = dict(measured), len(measured) + num
    worst = float(np.nanmin(accuracy)) - 1.0
    while len(measured) < most:
        mean_ms, deviation_ms = predict(measured)
        chance = ndtr((upper_ms - mean_ms) / np.maximum(deviation_ms, 1e-12))
        chance[list(measured)] = 0.0
        best = _best(accuracy, measured, upper_ms)
        floor = worst if best is None else float(accuracy[best])
        promise = np.where(chance >= LEAST_CHANCE, np.maximum(np.nan_to_num(accuracy, nan=worst) - floor, 0.0), 0.0)
        promise *= chance
        if promise.max() <= 0.0:
            break
        row = int(np.argmax(promise))
        measured[row] = measure(row)
    return Finalists(_best(accuracy, measured, upper_ms), measured)


def _best(accuracy: Array, measured: Mapping[int, float], upper_ms: float) -> int | None:
    within = [row for row, value in measured.items() if value <= upper_ms and np.isfinite(accuracy[row])]
    return max(within, key=lambda row: (accuracy[row], -row), default=None)
