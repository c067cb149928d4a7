"""A number with its unit, its spread and how it was obtained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Obtained = Literal["measured", "predicted", "analytic", "table"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of one quantity of one network. A prediction is never stored as ``measured``.

    Attributes:
        quantity: what, with the unit in the name (``latency_ms``, ``validation_accuracy``, ``macs``).
        value: in ``unit``.
        unit: ``ms``, ``%``, ``count``, ``bytes``, ...
        obtained: ``measured`` (ran here), ``predicted`` (a fitted model), ``analytic`` (closed form), ``table``.
        spread: one standard deviation or half an interquartile range, in ``unit``; None when there is none.
        target: name of the target that it holds for, or "" when it holds for all.
        versions: software and settings that it was obtained with.
    """

    quantity: str
    value: float
    unit: str
    obtained: Obtained
    spread: float | None = None
    target: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
