"""Rounding of scaled dimensions, as published for each rule. Halves round to the even side, as Python's ``round``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from scaling.factors import Factors


def round_width(width: int, factor: float) -> int:
    """Return the scaled number of channels: the nearest multiple of 8, at least 8."""
    return max(1, round(width * factor / 8)) * 8


def round_depth(depth: int, factor: float) -> int:
    """Return the scaled number of blocks: the nearest integer, at least 1."""
    return max(1, round(depth * factor))


def round_group_width(group_width: int, factor: float) -> int:
    """Return the scaled group width: 1 (depthwise) stays; else 1 and 2 stay, 3 to 5 give 4, more a multiple of 8."""
    if group_width == 1:
        return 1
    scaled = max(1, round(group_width * factor))
    if scaled <= 2:
        return scaled
    return 4 if scaled <= 5 else round(scaled / 8) * 8


def round_resolution(side: int, factor: float, multiple: int = 4) -> int:
    """Return the scaled side of the image in pixels: the nearest multiple of ``multiple``, at least one of it."""
    return max(1, round(side * factor / multiple)) * multiple


def efficientnet_width(width: int, factor: float) -> int:
    """Return EfficientNet's number of filters: the nearest multiple of 8 that is not below 0.9 of the exact value."""
    exact = width * factor
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


def efficientnet_depth(depth: int, factor: float) -> int:
    """Return EfficientNet's number of repeats: rounded up."""
    return math.ceil(depth * factor)


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a rule rounds widths and depths: functions of the base value and the factor."""

    width: Callable[[int, float], int]
    depth: Callable[[int, float], int]


FAST = Rounding(round_width, round_depth)
EFFICIENTNET = Rounding(efficientnet_width, efficientnet_depth)


def compatible(width: int, bottleneck: float, group_width: int) -> tuple[int, int]:
    """Return the nearest width and group width that fit each other.

    The grouped convolution has ``width * bottleneck`` channels, which must be a multiple of the group width; a group
    never exceeds them (RegNet's adjustment, Radosavovic et al. 2020).
    """
    inner = int(max(1, width * bottleneck))
    group_width = min(group_width, inner)
    step = math.lcm(group_width, int(bottleneck)) if bottleneck > 1 else group_width
    inner = max(step, round(inner / step) * step)
    return int(inner / bottleneck), group_width


class StageNumbers(NamedTuple):
    """One stage in numbers: blocks, channels, inner channels per channel, channels of one group."""

    depth: int
    width: int
    bottleneck: float = 1.0
    group_width: int = 1


def scale_stage(stage: StageNumbers, factors: Factors, rounding: Rounding = FAST) -> StageNumbers:
    """Return the scaled stage; a dimension whose factor is 1 is not rounded either."""
    depth, width, bottleneck, group_width = stage
    if factors.depth != 1:
        depth = rounding.depth(depth, factors.depth)
    if factors.group != 1:
        group_width = round_group_width(group_width, factors.group)
    if factors.width != 1:
        width = rounding.width(width, factors.width)
    if factors.width != 1 or factors.group != 1:
        width, group_width = compatible(width, bottleneck, group_width)
    return StageNumbers(depth, width, bottleneck, group_width)
