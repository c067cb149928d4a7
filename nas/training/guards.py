"""Signs that training has failed, from the point that an interval ended with and those before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nas.data.splits import ImageSet
from nas.tasks import Metric, Task
from nas.training.curves import landmark_scores

Point = Mapping[str, Any]

FALLEN = 0.8
"""A loss has fallen once it is below this share of the first."""
MAX_ROLLBACKS = 3
RATE_FACTOR = 0.5
"""What a rollback multiplies the learning rate by."""


@dataclass(frozen=True)
class Chance:
    """The score of an answer that looks at no image.

    Attributes:
        value: of the metric, as guessing gives it.
        deviation: its standard deviation over draws of as many images.
    """

    value: float
    deviation: float


def chance_of(task: Task, images: ImageSet) -> Chance:
    """Return the score of guessing on ``images``."""
    rows = task.guess(images)
    return Chance(task.value(rows), task.spread(rows))


def not_finite(loss: float, tensors: Mapping[str, Tensor]) -> str | None:
    """Return what is not finite, in words; None where all is."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            return f"{name} is not finite"
    return None


def collapse(points: Sequence[Point], metric: Metric, chance: Chance) -> str | None:
    """Return how the last of ``points`` shows a collapse, in words; None where it does not.

    A collapse is a mean loss that is back at that of the first interval, or landmarks that are all as bad as guessing,
    after a time in which they were better. Better and as bad are told from noise by 5 and 2 standard deviations of the
    score of guessing.

    Args:
        points: of all intervals so far.
        metric: of the task.
        chance: of guessing.
    """
    *before, last = points
    if not before:
        return None
    first = before[0]["loss"]
    if min(point["loss"] for point in before) <= FALLEN * first <= first <= last["loss"]:
        return f"the loss is back at {last['loss']:.3g}, of {first:.3g} at the start"
    guessed = metric.rank(chance.value)
    best = max(metric.rank(score) for point in before for score in landmark_scores(point).values())
    now = max(metric.rank(score) for score in landmark_scores(last).values())
    if best > guessed + 5 * chance.deviation and now <= guessed + 2 * chance.deviation:
        return f"the best of three networks has {_shown(metric, now)}, as guessing has, after {_shown(metric, best)}"
    return None


def _shown(metric: Metric, rank: float) -> str:
    return f"{metric.title} {metric.rank(rank):.1f} {metric.unit}"
