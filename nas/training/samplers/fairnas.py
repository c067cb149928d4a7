"""Strict fairness (FairNAS, Chu et al. 2021, arXiv 1907.01845): every choice of a knob is trained equally often.

The networks of one step share a batch; their gradients add up to one optimiser step. Each knob deals its choices out
in random order: with m networks of which a knob is active, a knob with c choices gives each of them floor(m / c) or
ceil(m / c) networks. Where c divides m the counts are equal in every step, as in the paper, whose knobs all have m
choices; elsewhere who gets one more is drawn anew in every step, so that the counts are equal on average.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nas.training.samplers import Batches, Draw, MemorylessSampler, samplers
from search_spaces.space import Genes


@samplers.register("fairnas")
class FairNas(MemorylessSampler):
    """Networks that together use every choice of every knob equally often, all on the same batch."""

    name = "fairnas"
    batches: ClassVar[Batches] = "same"

    def draw(self, draw: Draw) -> Genes:
        """Return ``draw.num`` networks."""
        genes = np.full((draw.num, len(self.space.knobs)), -1, dtype=np.int16)
        for column, knob in enumerate(self.space.knobs):
            active = np.arange(draw.num)
            if knob.parent:
                # A parent stands before its children; -1, where it is inactive itself, finds the last entry.
                parent = self.space.column[knob.parent]
                at = [value in knob.parent_values for value in self.space.knobs[parent].values]
                active = np.flatnonzero(np.array([*at, False])[genes[:, parent]])
            genes[active, column] = deal(draw.rng, len(knob.values), len(active))
        return genes


def deal(rng: np.random.Generator, num_choices: int, num: int) -> Genes:
    """Return ``num`` choices in random order, each as often as another, or once more."""
    rounds = -(-num // num_choices)
    dealt = np.tile(rng.permutation(num_choices), rounds)[:num]
    return np.asarray(rng.permutation(dealt), dtype=np.int16)
