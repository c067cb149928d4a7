"""Samplers: which networks one optimiser step trains. One file each.

A sampler is a pure function of the random generator that it is given, so that training resumed at any step draws the
same next networks.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from search_spaces.registry import Registry
from search_spaces.space import Genes, SearchSpace


class Sampler(Protocol):
    """Draws the networks of a step."""

    own_batches: ClassVar[bool]
    """Whether each network of a step gets a batch of its own; else all get the same one."""

    def draw(self, space: SearchSpace, rng: np.random.Generator, num: int) -> Genes:
        """Return the genes of ``num`` networks."""
        ...


samplers: Registry[type[Sampler]] = Registry("sampler", "nas.training.samplers")
