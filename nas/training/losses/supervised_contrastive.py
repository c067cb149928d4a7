"""Supervised contrastive loss (Khosla et al. 2020, arXiv 2004.11362, equation 2): images of a class lie close.

For vectors z of length 1: the mean over images i that have others of their class in the batch, P(i), of
-1/|P(i)| sum_{p in P(i)} log( exp(z_i z_p / t) / sum_{a != i} exp(z_i z_a / t) ). A batch without a pair costs 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from nas.training.losses import Outputs, losses
from nas.training.part_settings import PartSettings, read_settings


class ContrastiveSettings(PartSettings):
    """Settings of the loss.

    Attributes:
        temperature: t.
    """

    temperature: float = Field(0.1, gt=0)


@losses.register("supervised_contrastive")
class SupervisedContrastive:
    """Vectors of one class are drawn together, all others apart."""

    needs: ClassVar[frozenset[str]] = frozenset()
    tasks: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(self, **settings: object) -> None:
        self._settings = read_settings("loss 'supervised_contrastive'", ContrastiveSettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        vectors, labels = outputs.logits.float(), outputs.targets
        itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
        similarity = (vectors @ vectors.T / self._settings.temperature).masked_fill(itself, -torch.inf)
        log_share = (similarity - similarity.logsumexp(1, keepdim=True)).masked_fill(itself, 0.0)
        same = (labels[:, None] == labels) & ~itself
        num = same.sum(1)
        of_images = -(log_share * same).sum(1) / num.clamp(min=1)
        return of_images.sum() / (num > 0).sum().clamp(min=1)
