"""Signs that training has failed, from the point that an interval ended with and those before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

Point = Mapping[str, Any]

FALLEN = 0.8
"""A loss has fallen once it is below this share of the first."""
MAX_ROLLBACKS = 3
RATE_FACTOR = 0.5
"""What a rollback multiplies the learning rate by."""


def not_finite(loss: float, tensors: Mapping[str, Tensor]) -> str | None:
    """Return what is not finite, in words; None where all is."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            return f"{name} is not finite"
    return None


def collapse(points: Sequence[Point], chance: float, num_images: int) -> str | None:
    """Return how the last of ``points`` shows a collapse, in words; None where it does not.

    A collapse is a mean loss that is back at that of the first interval, or landmarks that are all as bad as guessing,
    after a time in which they were better. Better and as bad are told from noise by 5 and 2 standard deviations of the
    accuracy of guessing.

    Args:
        points: of all intervals so far.
        chance: accuracy of guessing the commonest class, in percent.
        num_images: that the accuracies are measured on.
    """
    *before, last = points
    if not before:
        return None
    first = before[0]["loss"]
    if min(point["loss"] for point in before) <= FALLEN * first <= first <= last["loss"]:
        return f"the loss is back at {last['loss']:.3g}, of {first:.3g} at the start"
    deviation = math.sqrt(chance * (100 - chance) / num_images)
    best = max(max(point["validation_accuracy"].values()) for point in before)
    now = max(last["validation_accuracy"].values())
    if best > chance + 5 * deviation and now <= chance + 2 * deviation:
        return f"the best of three networks is {now:.1f} % accurate, as guessing is, after {best:.1f} %"
    return None
