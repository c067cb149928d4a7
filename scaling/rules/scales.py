"""Scales of the input, S2: one network on the image at 1, 2, 3... times its side (Shi et al. 2024).

The larger images are cut into tiles of the network's own size; features are stitched, pooled to the network's grid and
joined on channels. Parameters stay, but for a wider head; MACs grow by the sum of the squares of the scales (5, 14,
30). ``scaling.multiscale`` is the module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaling.factors import Factors, Growth, check_factor
from scaling.rule import RULES, does_not_fit
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Blueprint

LARGEST_SCALE = 30
PAIRED_HEADS = ("crossvit_head", "nas_head")


def num_tiles(largest: int) -> int:
    """Return how many images of the network's size the scales 1 to ``largest`` hold."""
    return sum(scale**2 for scale in range(1, largest + 1))


@dataclass(frozen=True, slots=True)
class Scales:
    """The rule: it needs a square image and one map, or one sequence of tokens, before the head."""

    name: str = "s2"

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the network at the number of scales whose tiles are nearest to ``factor``, compared in logs.

        Raises:
            UsageError: ``factor`` is refused, the image is not square, or two maps stand before the head.
        """
        check_factor(factor)
        height, width = blueprint.resolution
        if height != width:
            raise does_not_fit(self.name, blueprint, f"tiles are square, its image is {height}x{width}")
        if blueprint.head.blocks[0].kind in PAIRED_HEADS:
            raise does_not_fit(self.name, blueprint, "its head reads two maps, whose scales can't be joined")
        largest = min(range(1, LARGEST_SCALE + 1), key=lambda each: abs(math.log(num_tiles(each) / factor)))
        tiles = float(num_tiles(largest))
        growth, scales = Growth(tiles, 1.0, tiles), tuple(range(1, largest + 1))
        return ScaledBlueprint(blueprint, self.name, factor, Factors(), growth, (("tiles", tiles),), scales)


RULES.register("s2")(Scales())
