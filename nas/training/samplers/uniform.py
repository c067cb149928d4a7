"""Uniform sampling: every knob draws evenly (single path one-shot, Guo et al. 2020, arXiv 1904.00420)."""

from __future__ import annotations

from typing import ClassVar

from nas.training.samplers import Batches, Draw, MemorylessSampler, samplers
from search_spaces.space import Genes


@samplers.register("uniform")
class Uniform(MemorylessSampler):
    """Random networks, all on the same batch."""

    name = "uniform"
    batches: ClassVar[Batches] = "same"

    def draw(self, draw: Draw) -> Genes:
        """Return ``draw.num`` random networks."""
        return self.space.sample(draw.rng, draw.num)
