"""Losses: what a network's outputs cost, given the targets. One file each.

Knowledge of a teacher is another registry with the same protocol: ``nas.training.distillation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from search_spaces.errors import UsageError
from search_spaces.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor


OF_CLASSES = frozenset({"classification", "segmentation"})
"""Tasks whose targets are classes, which may be smoothed."""


@dataclass(frozen=True)
class Outputs:
    """What a loss may look at: a network's outputs on a batch of n images, their targets, and a teacher's outputs.

    Attributes:
        logits: what the network gives, (n, num_classes), or as its task says, of the size of the targets.
        targets: int64 (n,), the labels, or float (n, num_classes), soft targets whose rows sum to 1; or as the task
            says.
        features: the input of the head, a map (n, channels, height, width) or tokens (n, num_tokens, channels); given
            to a loss that ``needs`` "features".
        teacher_logits: as ``logits``, without gradient; given to a loss that ``needs`` "teacher".
        teacher_features: as ``features``, of the teacher, without gradient; given to a loss that needs both.
    """

    logits: Tensor
    targets: Tensor
    features: Tensor | None = None
    teacher_logits: Tensor | None = None
    teacher_features: Tensor | None = None


class Loss(Protocol):
    """A loss. One that is an ``nn.Module`` may hold parameters: they are trained, stored, and left out of the network.

    Built with its settings as keywords; an unknown or bad one is a UsageError.
    """

    needs: ClassVar[frozenset[str]]
    """What it reads beside logits and targets: any of "teacher" and "features"."""
    tasks: ClassVar[frozenset[str]]
    """Names of the tasks whose outputs it understands; classification alone where it does not say."""

    def __init__(self, **settings: object) -> None: ...

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Make the parameters, if there are any, as large as the networks that gave ``examples`` need them.

        Called once, before training, with the outputs of the space's covering set on a few images.
        """

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        ...


def tasks_of(loss: object) -> frozenset[str]:
    """Return the names of the tasks whose outputs ``loss``, or its class, understands."""
    found: frozenset[str] = getattr(loss, "tasks", frozenset({"classification"}))
    return found


def check_task(loss: object, name: str, task: str) -> None:
    """Raise UsageError where ``loss``, called ``name``, does not understand the outputs of ``task``."""
    allowed = tasks_of(loss)
    if task not in allowed:
        raise UsageError(f"{name} is for task {', '.join(sorted(allowed))}, the study's is {task!r}: choose another")


def make_loss(name: str, label_smoothing: float, settings: Mapping[str, object] | None = None) -> Loss:
    """Return the loss on targets called ``name``; one on classes takes the label smoothing beside its own settings."""
    kind = losses.get(name)
    smoothed = {"label_smoothing": label_smoothing} if tasks_of(kind) & OF_CLASSES else {}
    return kind(**smoothed, **(settings or {}))


losses: Registry[type[Loss]] = Registry("loss", "nas.training.losses")
"""Losses on the targets. One on classes takes the setting ``label_smoothing`` beside its own."""
