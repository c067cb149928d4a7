"""A teacher's numbers as targets, logits or any other outputs (Ba and Caruana 2014, arXiv 1312.6184, equation 1).

loss = mean (student - teacher)^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from nas.training.distillation import distillations
from nas.training.losses import Outputs
from nas.training.part_settings import PartSettings, read_settings


@distillations.register("squared_error")
class SquaredError:
    """The mean square of the difference of student and teacher."""

    needs: ClassVar[frozenset[str]] = frozenset({"teacher"})
    tasks: ClassVar[frozenset[str]] = frozenset(
        {"classification", "counting", "embedding", "segmentation", "super_resolution"}
    )

    def __init__(self, **settings: object) -> None:
        read_settings("distillation 'squared_error'", PartSettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        assert outputs.teacher_logits is not None
        return F.mse_loss(outputs.logits.float(), outputs.teacher_logits.float())
