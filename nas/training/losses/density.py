"""Density and local counts (Du et al. 2022, arXiv 2208.02894; the abstract gives the terms, their form is ours).

loss = sum over cells of (density - target)^2 + w x the relative error of counts in those regions of the image that are
predicted worst: |count - true| / (true + 1), averaged over the worse half of a grid of regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field
from torch import Tensor

from nas.tasks.counting import summed
from nas.training.losses import Outputs, losses
from nas.training.part_settings import PartSettings, read_settings


class DensitySettings(PartSettings):
    """Settings of the loss.

    Attributes:
        local_weight: w; 0 leaves the local counts out.
        regions: of the grid, a side; a map of fewer cells has a region for each.
    """

    local_weight: float = Field(0.1, ge=0)
    regions: int = Field(4, ge=1)


@losses.register("density")
class Density:
    """Squared error of the density, and relative error of local counts."""

    needs: ClassVar[frozenset[str]] = frozenset()
    tasks: ClassVar[frozenset[str]] = frozenset({"counting"})

    def __init__(self, **settings: object) -> None:
        self._settings = read_settings("loss 'density'", DensitySettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        square = (outputs.logits - outputs.targets).square().flatten(1).sum(1).mean()
        if not self._settings.local_weight:
            return square
        return square + self._settings.local_weight * self.local_error(outputs.logits, outputs.targets)

    def local_error(self, density: Tensor, target: Tensor) -> Tensor:
        """Return the mean relative error of the counts in the worse half of the regions, from maps (n, c, h, w)."""
        regions = self._settings.regions
        size = (min(regions, density.shape[2]), min(regions, density.shape[3]))
        counts, true = summed(density, size), summed(target, size)
        errors = ((counts - true).abs() / (true + 1)).flatten(1)
        return errors.topk((errors.shape[1] + 1) // 2, dim=1).values.mean()
