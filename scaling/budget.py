"""Budgets: what a scaled network may take at most, written ``macs=4e9`` or ``latency_ms=3``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scaling.scaled import Count, ScaledBlueprint
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError, unknown

COUNTS = ("macs", "params", "activations", "peak_memory_bytes")
LATENCY = "latency_ms"
ALIASES = {"memory_bytes": "peak_memory_bytes"}


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a network may take of one quantity, at batch 1 or of one batch of a target."""

    quantity: str
    limit: float


def parse_budget(text: str) -> Budget:
    """Return the budget that ``text`` gives, as ``macs=4e9``.

    Raises:
        UsageError: the quantity is unknown or the limit is no positive number.
    """
    name, _, number = text.partition("=")
    quantity = ALIASES.get(name.strip(), name.strip())
    if quantity not in (*COUNTS, LATENCY):
        raise unknown("quantity of a budget", quantity, (*COUNTS, LATENCY))
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise UsageError(f"budget {text!r}: give a positive number, as {quantity}=4e9")
    return Budget(quantity, limit)


def measure_of(
    budget: Budget, count: Count, latency_ms: Callable[[Blueprint], float] | None
) -> Callable[[ScaledBlueprint], float]:
    """Return what measures a scaled network in the budget's quantity.

    Args:
        budget: whose quantity.
        count: counts one blueprint.
        latency_ms: of one blueprint on a target; None where no target is given.

    Raises:
        UsageError: a latency budget without target, or of a network that runs at several scales.
    """
    if budget.quantity != LATENCY:
        return lambda scaled: float(getattr(scaled.cost(count), budget.quantity))
    if latency_ms is None:
        raise UsageError("a budget of latency_ms needs a target: give --target, as h100:fp16:b1")

    def measured(scaled: ScaledBlueprint) -> float:
        if scaled.scales != (1,):
            raise UsageError(f"latency of a network at several scales {scaled.scales} is not modelled: use macs=...")
        return latency_ms(scaled.blueprint)

    return measured
