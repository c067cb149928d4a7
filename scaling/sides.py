"""Resolution: which sides of the image fit a network, and windows that go on dividing their maps.

Patches divide the image. Windows divide their map: their number stays and their side grows with the image, as Swin
and MaxViT are published (224 pixels: 7, 384: 12, 512: 16). Tokens attended to in groups are a multiple of the groups,
grids of tokens that are halved are even, and unpadded networks take sides of their whole stride.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from scaling.quantise import round_resolution
from search_spaces.blueprint import Block, Blueprint, Stage

Size = tuple[int, int]


class Demand(NamedTuple):
    """What one block asks of the map that it works on, after its stride.

    Attributes:
        stride: of the block.
        window: side of its windows; 0 without windows.
        multiple: number that divides the map's sides.
        unpadded: whether the image's sides are multiples of the network's stride.
    """

    stride: int
    window: int
    multiple: int
    unpadded: bool


@lru_cache(maxsize=1 << 14)
def demand(block: Block) -> Demand:
    """Return what ``block`` asks of its map."""
    settings = dict(block.settings)
    groups = [int(settings[name]) for name in ("groups", "later_groups") if "later_groups" in settings]
    return Demand(
        stride=int(settings.get("stride", 1)),
        window=int(settings.get("window", 0)),
        multiple=math.lcm(*map(_root_of_multiple, groups)),
        unpadded=settings.get("padded", True) is False or block.kind == "token_reduction",
    )


@lru_cache(maxsize=1 << 14)
def _stage_demands(blocks: tuple[Block, ...]) -> tuple[Demand, ...]:
    return tuple(map(demand, blocks))


def _root_of_multiple(number: int) -> int:
    """Return the smallest side whose square is a multiple of ``number``."""
    return next(side for side in range(1, number + 1) if side * side % number == 0)


def scale_sides(blueprint: Blueprint, factor: float) -> Blueprint:
    """Return the blueprint on images whose sides are ``factor`` times as long, to the nearest that fit it."""
    if factor == 1:
        return blueprint
    rows, columns = side_multiples(blueprint)
    height, width = blueprint.resolution
    resolution = round_resolution(height, factor, rows), round_resolution(width, factor, columns)
    if resolution == blueprint.resolution:
        return blueprint
    return follow_windows(blueprint, at_sides(blueprint, resolution))


def at_sides(blueprint: Blueprint, resolution: Size) -> Blueprint:
    """Return ``blueprint`` on images of ``resolution``, its blocks as they are."""
    stem, stages, head = blueprint.stem, blueprint.stages, blueprint.head
    return Blueprint(blueprint.family, blueprint.in_channels, resolution, stem, stages, head)


def side_multiples(blueprint: Blueprint, least: int = 4) -> Size:
    """Return the numbers that divide the height and the width of the image at every scale; multiples of ``least``."""
    demands = [item for stage in blueprint.all_stages() for item in _stage_demands(stage.blocks)]
    rows = columns = math.lcm(least, demands[0].stride)
    if not any(item.window or item.multiple > 1 or item.unpadded for item in demands):
        return rows, columns
    if any(item.unpadded for item in demands):
        rows = columns = math.lcm(rows, math.prod(item.stride for item in demands))
    stride = 1
    height, width = blueprint.resolution
    for item in demands:
        stride *= item.stride
        height, width = -(-height // item.stride), -(-width // item.stride)
        if item.window:
            window = min(item.window, height, width)
            rows, columns = math.lcm(rows, stride * (height // window)), math.lcm(columns, stride * (width // window))
        elif item.multiple > 1:
            rows, columns = math.lcm(rows, stride * item.multiple), math.lcm(columns, stride * item.multiple)
    return rows, columns


def follow_windows(base: Blueprint, changed: Blueprint) -> Blueprint:
    """Return ``changed``, which has other maps than ``base`` and the same blocks, with windows in proportion.

    A window is the divisor of its map that is nearest to the proportion.
    """
    if not any(_stage_demands(stage.blocks)[0].window for stage in base.stages):
        return changed
    before, after = (_strided(each.resolution, each.stem.blocks[0]) for each in (base, changed))
    stages = []
    for stage in changed.stages:
        blocks, before, after = _follow_stage(stage.blocks, before, after)
        stages.append(Stage(stage.name, stage.width, blocks))
    return Blueprint(changed.family, changed.in_channels, changed.resolution, changed.stem, tuple(stages), changed.head)


def _strided(size: Size, block: Block) -> Size:
    stride = demand(block).stride
    return -(-size[0] // stride), -(-size[1] // stride)


@lru_cache(maxsize=1 << 14)
def _follow_stage(blocks: tuple[Block, ...], before: Size, after: Size) -> tuple[tuple[Block, ...], Size, Size]:
    """Return the blocks of a stage that stood on maps of ``before`` and now on ``after``, and the maps behind them."""
    found = []
    for block in blocks:
        before, after = _strided(before, block), _strided(after, block)
        found.append(_with_window(block, before, after))
    return tuple(found), before, after


@lru_cache(maxsize=1 << 14)
def _with_window(block: Block, before: Size, after: Size) -> Block:
    window = demand(block).window
    if not window or before == after:
        return block
    wanted = min(window, *before) * min(after) / min(before)
    common = math.gcd(*after)
    divisors = (side for side in range(1, common + 1) if common % side == 0)
    return block.replace(window=min(divisors, key=lambda side: (abs(side - wanted), side)))
