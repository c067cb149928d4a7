"""Adaptive alpha-divergence of a student from its teacher (AlphaNet: Wang et al. 2021, arXiv 2102.07954).

With teacher p, student q and r = p / q, D_alpha = sum_j q_j f(r_j), f(r) = (r^alpha - 1) / (alpha (alpha - 1)); the
limits are KL(p || q), f = r ln r, at alpha = 1 and KL(q || p), f = -ln r, at alpha = 0. A negative alpha punishes
classes that the student overrates, a positive one those that it underrates; each image learns by whichever of two
divergences is larger. r^alpha is clipped, since for other values of alpha it makes gradients without bound.

The gradient is -sum_j q_j rho(r_j) d log q_j with rho = f'(r) r - f(r) up to a constant (which sums to zero): r^alpha /
alpha, r and ln r - 1. It is taken by that formula, so that a clipped ratio still pulls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from nas.training.distillation import distillations
from nas.training.losses import Outputs
from nas.training.part_settings import PartSettings, read_settings


class AlphaDivergenceSettings(PartSettings):
    """Settings of the adaptive alpha-divergence.

    Attributes:
        negative_alpha: the alpha that guards against overrating.
        positive_alpha: the alpha that guards against underrating.
        clip: the largest r^alpha.
    """

    negative_alpha: float = Field(-1.0, le=0)
    positive_alpha: float = Field(1.0, gt=0)
    clip: float = Field(5.0, ge=1)


@distillations.register("alpha_divergence")
class AlphaDivergence:
    """For each image the larger one of two alpha-divergences."""

    needs: ClassVar[frozenset[str]] = frozenset({"teacher"})
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(self, **settings: object) -> None:
        self._settings = read_settings("distillation 'alpha_divergence'", AlphaDivergenceSettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        assert outputs.teacher_logits is not None
        negative, positive = (
            alpha_divergence(outputs.logits, outputs.teacher_logits, alpha, self._settings.clip)
            for alpha in (self._settings.negative_alpha, self._settings.positive_alpha)
        )
        return torch.where(negative > positive, negative, positive).mean()


def alpha_divergence(logits: Tensor, teacher_logits: Tensor, alpha: float, clip: float) -> Tensor:
    """Return D_alpha of each image, (n,), from logits (n, num_classes); its gradient is the formula's.

    The value is that of the clipped divergence: exact where no r^alpha exceeds ``clip``.
    """
    log_student = F.log_softmax(logits.float(), dim=1)
    log_teacher = F.log_softmax(teacher_logits.float(), dim=1).detach()
    f, rho = _terms(log_student.detach(), log_teacher, alpha, clip)
    value, surrogate = f.sum(dim=1), -(rho * log_student).sum(dim=1)
    return surrogate + (value - surrogate).detach()


def _terms(log_student: Tensor, log_teacher: Tensor, alpha: float, clip: float) -> tuple[Tensor, Tensor]:
    """Return q f(r) and q rho(r) of each class; at alpha = 1, q r is p, which can't overflow."""
    student, log_ratio = log_student.exp(), log_teacher - log_student
    if alpha == 1:
        teacher = log_teacher.exp()
        return teacher * log_ratio, teacher
    if alpha == 0:
        return -student * log_ratio, student * (log_ratio - 1)
    power = (alpha * log_ratio).clamp(max=math.log(clip)).exp()
    return student * (power - 1) / (alpha * (alpha - 1)), student * power / alpha
