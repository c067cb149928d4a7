"""Soft labels of a teacher (Hinton et al. 2015, arXiv 1503.02531); of the largest network in place: BigNAS, 2003.11142.

loss = T^2 KL(softmax(teacher / T) || softmax(student / T)); T^2 keeps the size of the gradient as T grows. Its
gradient is that of the cross entropy with the teacher's soft labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from nas.training.distillation import distillations
from nas.training.losses import Outputs
from nas.training.part_settings import PartSettings, read_settings


class KlSettings(PartSettings):
    """Settings of the soft labels.

    Attributes:
        temperature: T; above 1 the teacher's smaller probabilities count more.
    """

    temperature: float = Field(1.0, gt=0)


@distillations.register("kl")
class Kl:
    """Kullback-Leibler divergence of the student's classes from the teacher's."""

    needs: ClassVar[frozenset[str]] = frozenset({"teacher"})
    tasks: ClassVar[frozenset[str]] = frozenset({"classification", "segmentation"})

    def __init__(self, **settings: object) -> None:
        self._settings = read_settings("distillation 'kl'", KlSettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        assert outputs.teacher_logits is not None
        return soft_label_loss(outputs.logits, outputs.teacher_logits, self._settings.temperature)


def soft_label_loss(logits: Tensor, teacher_logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the mean of T^2 KL(teacher || student) over batch and pixels, from logits (n, num_classes, ...)."""
    student = F.log_softmax(logits.float() / temperature, dim=1).movedim(1, -1).flatten(0, -2)
    teacher = F.log_softmax(teacher_logits.float() / temperature, dim=1).movedim(1, -1).flatten(0, -2)
    return F.kl_div(student, teacher, reduction="batchmean", log_target=True) * temperature**2
