"""EfficientNetV2's heuristics over compound scaling: images of at most 480 pixels, more layers late (Tan & Le 2021).

What the capped image leaves goes to depth and width in the formula's proportion. The last two stages get more layers
than the others: the published sizes M and L have a fifth stage of 1.27 and 1.19 times what their depth factors 2.2 and
3.1 give, which is a further power of 0.3 and 0.15 of that factor; S has none. ``LATE`` is between them. Widths round
without EfficientNet's correction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaling.apply import Shape, scale_blueprint
from scaling.factors import Factors, check_factor, predicted_growth
from scaling.quantise import Rounding, efficientnet_depth
from scaling.rule import RULES
from scaling.rules.efficientnet import ALPHA, BETA, compound, phi_of
from scaling.rules.resnet_rs import capped_growth
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Blueprint

LARGEST_SIDE = 480
LATE = 0.2
LATE_STAGES = 2


def nearest_width(width: int, factor: float) -> int:
    """Return the scaled number of channels: the nearest multiple of 8, halves up, at least 8."""
    return max(8, int(width * factor + 4) // 8 * 8)


ROUNDING = Rounding(nearest_width, efficientnet_depth)


def capped_compound(factor: float, side: int) -> Factors:
    """Return the formula's factors for an image of ``side`` pixels that grows to ``LARGEST_SIDE`` at most."""
    resolution = capped_growth(side, compound(phi_of(factor)).resolution, LARGEST_SIDE)
    phi = math.log(factor / resolution**2) / math.log(ALPHA * BETA**2)
    return Factors(ALPHA**phi, BETA**phi, resolution, BETA**phi)


@dataclass(frozen=True, slots=True)
class EfficientNetV2:
    """The rule; its predicted growth counts the late layers by the mean over all blocks."""

    name: str = "efficientnetv2"

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the scaled blueprint; UsageError where ``check_factor`` refuses ``factor``."""
        check_factor(factor)
        factors = capped_compound(factor, max(blueprint.resolution))
        late = min(LATE_STAGES, len(blueprint.stages) - 1)
        depths = (factors.depth,) * (len(blueprint.stages) - late) + (factors.depth ** (1 + LATE),) * late
        scaled = scale_blueprint(blueprint, factors, ROUNDING, Shape(depths=depths))
        blocks = [stage.depth for stage in blueprint.stages]
        mean = sum(depth * number for depth, number in zip(depths, blocks, strict=True)) / sum(blocks)
        return ScaledBlueprint(scaled, self.name, factor, factors, predicted_growth(factors._replace(depth=mean)))


RULES.register("efficientnetv2")(EfficientNetV2())
