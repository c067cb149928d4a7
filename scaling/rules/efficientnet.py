"""EfficientNet's compound scaling: the formula, and the published sizes, which do not follow it (Tan & Le 2019).

The formula: depth 1.2^phi, width 1.1^phi, resolution 1.15^phi (equation 3; alpha beta^2 gamma^2 = 1.92, about 2). The
sizes B1 to B7 were rounded by hand: each dimension of one implies another phi, so they are a table of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaling.apply import scale_blueprint
from scaling.factors import Factors, check_factor
from scaling.quantise import EFFICIENTNET
from scaling.rule import RULES, CompoundRule
from search_spaces.blueprint import Blueprint
from search_spaces.errors import unknown

ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15
MACS_PER_PHI = ALPHA * BETA**2 * GAMMA**2
BASE_RESOLUTION = 224


def compound(phi: float) -> Factors:
    """Return the factors of the formula; a negative ``phi`` shrinks. Group widths grow with the width."""
    return Factors(ALPHA**phi, BETA**phi, GAMMA**phi, BETA**phi)


def phi_of(factor: float) -> float:
    """Return the phi whose law multiplies MACs by ``factor``."""
    check_factor(factor)
    return math.log(factor) / math.log(MACS_PER_PHI)


@dataclass(frozen=True, slots=True)
class Preset:
    """One published size: factors over B0, the side of the image in pixels, the head's dropout rate."""

    width: float
    depth: float
    resolution: int
    dropout: float

    @property
    def factors(self) -> Factors:
        """The factors over B0 at 224 pixels."""
        return Factors(self.depth, self.width, self.resolution / BASE_RESOLUTION, self.width)


PRESETS = {
    "b0": Preset(1.0, 1.0, 224, 0.2),
    "b1": Preset(1.0, 1.1, 240, 0.2),
    "b2": Preset(1.1, 1.2, 260, 0.3),
    "b3": Preset(1.2, 1.4, 300, 0.3),
    "b4": Preset(1.4, 1.8, 380, 0.4),
    "b5": Preset(1.6, 2.2, 456, 0.4),
    "b6": Preset(1.8, 2.6, 528, 0.5),
    "b7": Preset(2.0, 3.1, 600, 0.5),
    "b8": Preset(2.2, 3.6, 672, 0.5),
    "l2": Preset(4.3, 5.3, 800, 0.5),
}


def efficientnet_preset(name: str) -> Preset:
    """Return the published size ``name``, as ``b4``; UsageError on an unknown one."""
    if name not in PRESETS:
        raise unknown("EfficientNet size", name, PRESETS)
    return PRESETS[name]


def scale_to_preset(blueprint: Blueprint, name: str) -> Blueprint:
    """Return ``blueprint`` multiplied by a published size's factors; B0 at 224 pixels gives that EfficientNet."""
    return scale_blueprint(blueprint, efficientnet_preset(name).factors, EFFICIENTNET)


RULES.register("efficientnet")(CompoundRule("efficientnet", lambda factor: compound(phi_of(factor)), EFFICIENTNET))
