"""ResNet-RS: depth where networks overfit, width where they do not; the image grows slowly (Bello et al. 2021).

Long schedules (the authors' 350 epochs) overfit: there depth pays, at 10 epochs width. At 100 epochs it depends on the
resolution, so width is taken. The image takes the share of growth that it has in the published sizes, and none beyond
320 pixels, where the authors see diminishing returns. Blocks are added to the inner stages: the first and the last keep
theirs, as from 3,4,6,3 to 3,24,36,3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaling.apply import Shape
from scaling.factors import Factors, check_factor
from scaling.quantise import FAST
from scaling.rule import RULE_MAKERS, RULES, multiplied
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError

# MACs in billions and side of the image of the published sizes, 50 to 200 layers (table 7 of the paper).
SIZES = ((2.29, 160), (4.20, 160), (6.04, 192), (8.78, 192), (11.94, 224), (15.59, 256), (20.18, 256))
LARGEST_SIDE = 320
PUBLISHED_EPOCHS = 350
SHORT_EPOCHS = 100


def resolution_share() -> float:
    """Return the image's share of the growth of MACs in ``SIZES``: least squares in logs, from the first."""
    (macs, side), *larger = SIZES
    grown = [(math.log(other / macs), 2 * math.log(pixels / side)) for other, pixels in larger]
    return sum(x * y for x, y in grown) / sum(x * x for x, _ in grown)


def capped_growth(side: int, growth: float, largest: int) -> float:
    """Return ``growth`` of an image of ``side`` pixels, cut where it would grow beyond ``largest``."""
    return min(growth, max(1.0, largest / side))


@dataclass(frozen=True, slots=True)
class ResNetRS:
    """The rule for a schedule of ``epochs``."""

    name: str
    epochs: int

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the scaled blueprint; UsageError where ``check_factor`` refuses ``factor``."""
        check_factor(factor)
        resolution = capped_growth(max(blueprint.resolution), factor ** (resolution_share() / 2), LARGEST_SIDE)
        rest = factor / resolution**2
        if self.epochs > SHORT_EPOCHS:
            shape = Shape(depths=inner_depths(blueprint, rest))
            return multiplied(blueprint, self.name, factor, Factors(rest, 1.0, resolution), FAST, shape)
        width = math.sqrt(rest)
        return multiplied(blueprint, self.name, factor, Factors(1.0, width, resolution, width), FAST)


def inner_depths(blueprint: Blueprint, factor: float) -> tuple[float, ...]:
    """Return a depth factor for each stage: the inner stages take the growth of all blocks; of two stages or less, all.

    Shrinking may ask more of the inner stages than they have: then each keeps a block.
    """
    depths = [stage.depth for stage in blueprint.stages]
    if len(depths) < 3:
        return (factor,) * len(depths)
    inner = sum(depths[1:-1])
    own = max(1 / inner, 1 + (factor - 1) * sum(depths) / inner)
    return (1.0, *(own,) * (len(depths) - 2), 1.0)


def rule_of_epochs(text: str) -> ResNetRS:
    """Return the rule written ``resnet_rs:EPOCHS``; UsageError where that is no positive whole number."""
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"rule 'resnet_rs:{text}': epochs got {text!r}: give a positive whole number")
    return ResNetRS(f"resnet_rs:{text}", int(text))


RULES.register("resnet_rs")(ResNetRS("resnet_rs", PUBLISHED_EPOCHS))
RULE_MAKERS.register("resnet_rs")(rule_of_epochs)
