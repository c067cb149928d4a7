"""Multi-architectural sampling (ViT-ResNAS, Liao et al. 2021, arXiv 2109.00642): several networks in one pass.

A step's batch is cut in as many equal groups as networks, which pass forward and backward together: a step costs one
batch, whatever the number of networks. In the warm-up, 1 + floor(progress (n - 1) / warmup) values of a knob with n are
open, the largest first (30 of 120 epochs in the paper).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas.training.opening import draw_open
from nas.training.part_settings import PartSettings
from nas.training.samplers import Batches, Draw, MemorylessSampler, samplers
from search_spaces.space import Genes


class MultiArchitectureSettings(PartSettings):
    """Settings of the sampler: ``warmup`` is the share of training in which values open up; at its end all are."""

    warmup: float = Field(0.25, ge=0, le=1)


@samplers.register("multi_architecture")
class MultiArchitecture(MemorylessSampler):
    """Random networks of the part of the space that is open, each on a group of the images of one batch."""

    name = "multi_architecture"
    batches: ClassVar[Batches] = "split"
    Settings = MultiArchitectureSettings
    settings: MultiArchitectureSettings

    def draw(self, draw: Draw) -> Genes:
        """Return ``draw.num`` networks."""
        return draw_open(self.space, draw.rng, draw.num, self.num_open(draw.progress))

    def num_open(self, progress: float) -> NDArray[np.int64]:
        """Return how many values of each knob are open at ``progress`` (0 to 1), (num_knobs,), the largest ones."""
        warmup, num_choices = self.settings.warmup, self.space.num_choices.astype(np.int64)
        if progress >= warmup:
            return num_choices
        return np.asarray(1 + np.floor(progress * (num_choices - 1) / warmup), dtype=np.int64)
