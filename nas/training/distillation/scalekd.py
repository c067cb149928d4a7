"""Knowledge of a transformer teacher for any student (ScaleKD: Fan et al. 2024, arXiv 2411.06786).

A cross-attention projector makes the student's last features into as many tokens as the teacher has (3.1). They mimic
the teacher's in two views (3.2), each with a projector of its own: as they are, and without their direct component.
The coefficient at frequency zero of a cosine transform over positions is their mean, so that leaving it out is
subtracting the mean over tokens: what the dominating component hides is learned too. In each view the loss is the mean
over tokens of |a / |a| - b / |b||^2. The teacher's soft labels are learned beside.

Left out: teacher parameter perception (3.3), which runs an earlier stage of the student through the teacher's last one.
The projectors are no part of the network: inference costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from nas.training.distillation import distillations
from nas.training.distillation.kl import soft_label_loss
from nas.training.distillation.projector import CrossAttentionProjector, as_tokens
from nas.training.losses import Outputs
from nas.training.part_settings import PartSettings, read_settings
from search_spaces.errors import UsageError


class ScaleKDSettings(PartSettings):
    """Settings of ScaleKD.

    Attributes:
        original_weight: of the features as they are.
        alternative_weight: of the features without their direct component.
        logits_weight: of the teacher's soft labels.
        num_heads: of the projectors' attention; a divisor of the teacher's channels.
    """

    original_weight: float = Field(1.0, ge=0)
    alternative_weight: float = Field(1.0, ge=0)
    logits_weight: float = Field(1.0, ge=0)
    num_heads: int = Field(8, ge=1)


@distillations.register("scalekd")
class ScaleKD(nn.Module):
    """Soft labels, and the teacher's features in two views."""

    needs: ClassVar[frozenset[str]] = frozenset({"teacher", "features"})
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(self, **settings: object) -> None:
        super().__init__()
        self._settings = read_settings("distillation 'scalekd'", ScaleKDSettings, settings)
        self.original: CrossAttentionProjector | None = None
        self.alternative: CrossAttentionProjector | None = None

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Make the projectors for students as wide as the widest example, and for the examples' teacher.

        Raises:
            UsageError: ``num_heads`` does not divide the teacher's channels.
        """
        students, (num_tokens, width) = [_features(example)[0] for example in examples], _teacher_shape(examples[0])
        in_width = max(as_tokens(student).shape[2] for student in students)
        sizes = [(int(student.shape[2]), int(student.shape[3])) for student in students if student.ndim == 4]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.original, self.alternative = (
                CrossAttentionProjector(
                    in_width, max(sizes) if sizes else None, num_tokens, width, self._settings.num_heads
                )
                for _ in range(2)
            )

    def forward(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar.

        Raises:
            UsageError: the teacher's features are not those that the projectors were made for.
        """
        assert self.original is not None, "prepare comes first"
        assert self.alternative is not None
        assert outputs.teacher_logits is not None
        student, teacher = _features(outputs)
        self._check(_teacher_shape(outputs))
        tokens = as_tokens(teacher).float()
        original = mimicry(self.original(student).float(), tokens)
        alternative = mimicry(
            without_direct_component(self.alternative(student).float()), without_direct_component(tokens)
        )
        return (
            self._settings.logits_weight * soft_label_loss(outputs.logits, outputs.teacher_logits)
            + self._settings.original_weight * original
            + self._settings.alternative_weight * alternative
        )

    def _check(self, shape: tuple[int, int]) -> None:
        assert self.original is not None
        known = tuple(self.original.queries.shape)
        if shape != known:
            raise UsageError(
                f"distillation 'scalekd' got a teacher of {shape[0]} tokens x {shape[1]} channels, its projectors are "
                f"for {known[0]} x {known[1]}: the teacher must be one network: choose the sandwich sampler or set "
                "training.teacher to the folder of an exported model"
            )


def mimicry(projected: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean over batch and tokens of the squared distance of directions, 0 to 4; (n, num_tokens, c) each."""
    return (F.normalize(projected, dim=2) - F.normalize(teacher, dim=2)).square().sum(dim=2).mean()


def without_direct_component(tokens: Tensor) -> Tensor:
    """Return ``tokens`` (n, num_tokens, c) less their mean over tokens, the coefficient at frequency zero."""
    return tokens - tokens.mean(dim=1, keepdim=True)


def _features(outputs: Outputs) -> tuple[Tensor, Tensor]:
    assert outputs.features is not None
    assert outputs.teacher_features is not None
    return outputs.features, outputs.teacher_features


def _teacher_shape(outputs: Outputs) -> tuple[int, int]:
    num_tokens, width = as_tokens(_features(outputs)[1]).shape[1:]
    return int(num_tokens), int(width)
