"""Cross entropy with hard labels or soft targets, with label smoothing (Szegedy et al. 2016, arXiv 1512.00567).

loss = -sum_j y_j log softmax(logits)_j, where y = (1 - s) targets + s / num_classes. Hard labels are one-hot targets;
soft ones may come with the data: of other networks (Wang et al. 2017, arXiv 1610.01119) or from label maps (Yun et al.
2021, arXiv 2101.05022; see ``nas.data.label_maps``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from nas.training.losses import Outputs, losses
from nas.training.part_settings import PartSettings, read_settings


class CrossEntropySettings(PartSettings):
    """Settings of the cross entropy.

    Attributes:
        label_smoothing: s, the share of the target that is spread evenly over all classes.
    """

    label_smoothing: float = Field(0.0, ge=0, lt=1)


@losses.register("cross_entropy")
class CrossEntropy:
    """Cross entropy of the targets."""

    needs: ClassVar[frozenset[str]] = frozenset()
    tasks: ClassVar[frozenset[str]] = frozenset({"classification", "segmentation"})

    def __init__(self, **settings: object) -> None:
        self._settings = read_settings("loss 'cross_entropy'", CrossEntropySettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        return F.cross_entropy(outputs.logits, outputs.targets, label_smoothing=self._settings.label_smoothing)


def cross_entropy_per_image(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the cross entropy of each image, (n,); arguments as in ``Outputs``."""
    return F.cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)
