"""Sandwich rule: the largest, the smallest and random networks in every step (Yu and Huang 2019, arXiv 1903.05134)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nas.training.samplers import Batches, Draw, MemorylessSampler, samplers
from search_spaces.errors import UsageError
from search_spaces.space import Genes, SearchSpace


@samplers.register("sandwich")
class Sandwich(MemorylessSampler):
    """The largest and the smallest network, then random ones, all on the same batch."""

    name = "sandwich"
    batches: ClassVar[Batches] = "same"

    def draw(self, draw: Draw) -> Genes:
        """Return the largest, the smallest and ``draw.num - 2`` random networks.

        Raises:
            UsageError: fewer than 2 networks are asked for.
        """
        both = ends(self.space, self.name, draw.num)
        return np.concatenate([both, self.space.sample(draw.rng, draw.num - 2)])


def ends(space: SearchSpace, sampler: str, num: int) -> Genes:
    """Return the largest and the smallest network, for a ``sampler`` that trains them among ``num`` in a step.

    Raises:
        UsageError: ``num`` is less than 2.
    """
    if num < 2:
        raise UsageError(f"networks_per_step got {num}: the {sampler} sampler takes 2 or more")
    return space.encode([space.largest(), space.smallest()])
