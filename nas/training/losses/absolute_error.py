"""Mean absolute error of every number that a network gives: of images, less blurred than by squares (Zhao et al. 2017).

arXiv 1511.08861.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from nas.training.losses import Outputs, losses
from nas.training.part_settings import PartSettings, read_settings


@losses.register("absolute_error")
class AbsoluteError:
    """|output - target|."""

    needs: ClassVar[frozenset[str]] = frozenset()
    tasks: ClassVar[frozenset[str]] = frozenset({"super_resolution"})

    def __init__(self, **settings: object) -> None:
        read_settings("loss 'absolute_error'", PartSettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        return F.l1_loss(outputs.logits, outputs.targets)
