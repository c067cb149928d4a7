"""Uniform sampling: every knob draws evenly (single path one-shot, Guo et al. 2020, arXiv 1904.00420)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nas.training.samplers import samplers
from search_spaces.space import Genes, SearchSpace


@samplers.register("uniform")
class Uniform:
    """Random networks, all on the same batch."""

    own_batches: ClassVar[bool] = False

    def draw(self, space: SearchSpace, rng: np.random.Generator, num: int) -> Genes:
        """Return ``num`` random networks."""
        return space.sample(rng, num)
