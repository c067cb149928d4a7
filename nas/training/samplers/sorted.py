"""SortedNet's step (Valipour et al. 2023, arXiv 2309.00255): networks drawn independently, each on its own batch.

The gradients of all accumulate into one optimiser step; every network is a prefix of the shared tensors. Half of the
draws come from the nested chain, in which every ordered knob stands at the same fraction of its range, so that the
chain's networks, from the smallest to the largest, are each held by the next.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nas.training.samplers import Batches, Draw, MemorylessSampler, samplers
from search_spaces.space import Genes, SearchSpace


@samplers.register("sorted")
class Sorted(MemorylessSampler):
    """Networks drawn evenly from the whole space and from its nested chain; ``networks_per_step`` is the paper's g."""

    name = "sorted"
    batches: ClassVar[Batches] = "own"

    def draw(self, draw: Draw) -> Genes:
        """Return ``draw.num`` networks, each from the chain with probability one half."""
        rng, num = draw.rng, draw.num
        from_space = self.space.sample(rng, num)
        from_chain = chain(self.space, rng.random(num), rng)
        return np.where(rng.random((num, 1)) < 0.5, from_chain, from_space)


def chain(space: SearchSpace, fractions: np.ndarray, rng: np.random.Generator) -> Genes:
    """Return the chain's networks at ``fractions`` in [0, 1); categorical knobs draw evenly."""
    genes = np.floor(fractions[:, None] * space.num_choices).astype(np.int16)
    categorical = np.array([not knob.ordered for knob in space.knobs])
    drawn = rng.integers(0, space.num_choices, size=genes.shape, dtype=np.int16)
    return space.canonical(np.where(categorical, drawn, genes))
