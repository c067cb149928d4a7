"""What a network's outputs cost in training: on the targets, on a teacher's outputs, or on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from nas.data.splits import DataSplits
from nas.tasks import Task
from nas.training.batch import Batch
from nas.training.distillation import distillations
from nas.training.losses import Loss, Outputs, check_task, make_loss
from nas.training.settings import LARGEST, TrainingSettings
from nas.training.teacher import ExportedTeacher, Seen
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError

Forward = Callable[[Blueprint, Tensor], Seen]
"""A network inside the shared weights, in training mode, on images (n, channels, height, width)."""


class Objective:
    """The losses of a training, and the teacher from outside where there is one.

    Attributes:
        in_place: whether the largest network of each step teaches the others.

    Raises:
        UsageError: an unknown loss or setting, a teacher that does not fit, or settings that contradict each other.
    """

    def __init__(self, settings: TrainingSettings, data: DataSplits) -> None:
        self._task = data.task
        self._on_targets = make_loss(settings.loss, settings.label_smoothing, settings.loss_settings)
        check_task(self._on_targets, f"loss {settings.loss!r}", data.task.name)
        self._on_teacher: Loss | None = None
        self._exported: ExportedTeacher | None = None
        self._weight = settings.distillation_weight
        check_teacher(settings)
        if settings.distillation is not None:
            self._on_teacher = distillations.get(settings.distillation)(**settings.distillation_settings)
            check_task(self._on_teacher, f"distillation {settings.distillation!r}", data.task.name)
            if settings.teacher != LARGEST:
                self._exported = ExportedTeacher(Path(settings.teacher).expanduser(), data)
        self.in_place = self._on_teacher is not None and self._exported is None

    def prepare(self, blueprints: Sequence[Blueprint], forward: Forward, batch: Batch, seed: int) -> None:
        """Make the parameters of the losses that have some, for networks as large as ``blueprints``."""
        if not self._modules():
            return
        with torch.no_grad():
            seen = [forward(blueprint, batch.images(blueprint.resolution)) for blueprint in blueprints]
            teacher = self._exported(batch) if self._exported else seen[0]
        for module in self._modules().values():
            loss = cast(Loss, module)
            loss.prepare([_outputs(self._task, loss, each, batch, teacher) for each in seen], seed)
            module.to(batch.targets.device).train()

    def parameters(self) -> dict[str, nn.Parameter]:
        """Return the parameters of the losses by name."""
        return {
            f"loss/{name}.{key}": parameter
            for name, module in self._modules().items()
            for key, parameter in module.named_parameters()
        }

    def on_targets(self, seen: Seen, batch: Batch) -> Tensor:
        """Return the loss on the targets of a batch, a scalar."""
        return self._on_targets(_outputs(self._task, self._on_targets, seen, batch))

    def of(self, seen: Seen, batch: Batch, teacher: Seen | None) -> Tensor:
        """Return the loss of a network that learns from the targets and, where one is given, from a teacher."""
        if teacher is None or self._on_teacher is None:
            return self.on_targets(seen, batch)
        taught = self._on_teacher(_outputs(self._task, self._on_teacher, seen, batch, teacher))
        if self.in_place:
            return taught
        return (1 - self._weight) * self.on_targets(seen, batch) + self._weight * taught

    def exported(self, batch: Batch) -> Seen | None:
        """Return the outputs of the teacher from outside, None where there is none."""
        return self._exported(batch) if self._exported else None

    def _modules(self) -> dict[str, nn.Module]:
        named = {"targets": cast(object, self._on_targets), "teacher": cast(object, self._on_teacher)}
        return {name: loss for name, loss in named.items() if isinstance(loss, nn.Module)}


def check_teacher(settings: TrainingSettings) -> None:
    """Raise UsageError where teacher, distillation and networks of a step contradict each other."""
    if settings.distillation is None and settings.teacher != LARGEST:
        raise UsageError(
            f"training.teacher got {settings.teacher!r} without training.distillation: set that to one of "
            f"{', '.join(distillations.names())}"
        )
    if settings.distillation and settings.teacher == LARGEST and settings.networks_per_step < 2:
        raise UsageError(
            f"training.networks_per_step got {settings.networks_per_step}: with teacher {LARGEST!r} one network of a "
            "step teaches the others: give 2 or more, or the folder of an exported model as training.teacher"
        )


def _outputs(task: Task, loss: Loss, seen: Seen, batch: Batch, teacher: Seen | None = None) -> Outputs:
    logits, features = seen
    if "features" in loss.needs and (features is None or (teacher and teacher[1] is None)):
        raise UsageError(
            f"training: {type(loss).__name__} reads the input of the head, and the head of "
            f"{'these networks' if features is None else 'the teacher'} takes several: choose another loss, "
            "distillation or teacher"
        )
    aligned, targets = task.aligned(logits, batch.targets)
    if teacher is None:
        return Outputs(aligned, targets, features)
    return Outputs(aligned, targets, features, task.matched(teacher[0], aligned), teacher[1])
