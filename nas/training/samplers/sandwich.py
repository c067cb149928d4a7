"""Sandwich rule: the largest, the smallest and random networks in every step (Yu and Huang 2019, arXiv 1903.05134)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nas.training.samplers import samplers
from search_spaces.errors import UsageError
from search_spaces.space import Genes, SearchSpace


@samplers.register("sandwich")
class Sandwich:
    """The largest and the smallest network, then random ones, all on the same batch."""

    own_batches: ClassVar[bool] = False

    def draw(self, space: SearchSpace, rng: np.random.Generator, num: int) -> Genes:
        """Return the largest, the smallest and ``num - 2`` random networks.

        Raises:
            UsageError: ``num`` is less than 2.
        """
        if num < 2:
            raise UsageError(f"networks_per_step got {num}: the sandwich sampler takes 2 or more")
        ends = space.encode([space.largest(), space.smallest()])
        return np.concatenate([ends, space.sample(rng, num - 2)])
