"""Scaling applied to a blueprint: any family, through the meaning of its settings.

What a setting's name says: ``stride`` belongs to the block that has it and is never repeated (``depth``); names that
end in ``_width`` are channels, those that end in ``mlp_width`` hidden channels of an MLP, which ``mlp_ratio`` gives
relative to the width; ``heads`` counts attention heads, of ``head_dim`` channels each, or of width / heads channels
where there is no ``head_dim``; ``group_width`` and ``bottleneck`` describe a grouped convolution of width * bottleneck
channels; a stem whose ``scales`` is false stays as it is; the stem's stride, which may be a patch, and ``window``
divide their maps (``sides``). Other settings are ratios, kernels and switches: they stay.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from scaling.cells import follow_previous
from scaling.depth import num_leading, with_depth
from scaling.factors import Factors
from scaling.quantise import FAST, Rounding, StageNumbers, scale_stage
from scaling.sides import scale_sides
from search_spaces.blueprint import Block, Blueprint, Setting, Stage
from search_spaces.errors import UsageError

REMEMBERED = 1 << 15


class Shape(NamedTuple):
    """How a rule departs from one factor for all depths and all widths.

    Attributes:
        depths: a depth factor for each stage, instead of the common one.
        mlp: factor of the hidden channels of MLPs, instead of the width's.
    """

    depths: tuple[float, ...] | None = None
    mlp: float | None = None


UNIFORM = Shape()


def scale_blueprint(
    blueprint: Blueprint, factors: Factors, rounding: Rounding = FAST, shape: Shape = UNIFORM
) -> Blueprint:
    """Return the blueprint with depth, width, resolution and group widths multiplied by ``factors`` and rounded.

    Stem, stages and the inner widths of the head scale; the number of classes and the input channels stay.

    Raises:
        UsageError: one stage mixes several group widths.
    """
    base = scale_sides(blueprint, factors.resolution)
    factors = factors._replace(resolution=1.0)
    by_stage = (
        [factors._replace(depth=depth) for depth in shape.depths] if shape.depths else [factors] * len(base.stages)
    )
    stages = tuple(
        _scale_stage(stage, each, rounding, shape.mlp) for stage, each in zip(base.stages, by_stage, strict=True)
    )
    scaled = Blueprint(
        blueprint.family,
        blueprint.in_channels,
        base.resolution,
        _scale_stem(base, stages, factors, rounding),
        stages,
        _scale_head(base.head, factors, rounding),
    )
    return follow_previous(blueprint, scaled)


@lru_cache(maxsize=REMEMBERED)
def _scale_head(head: Stage, factors: Factors, rounding: Rounding) -> Stage:
    return replace(head, blocks=tuple(_scale_block(block, factors, rounding) for block in head.blocks))


def _scale_stem(blueprint: Blueprint, stages: tuple[Stage, ...], factors: Factors, rounding: Rounding) -> Stage:
    stem = blueprint.stem
    if factors.width == 1 or not all(map(_scales, stem.blocks)):
        return stem
    blocks = tuple(_scale_block(block, factors, rounding) for block in stem.blocks)
    # A stem as wide as the first stage feeds its residual sums, which need the width that the stage was rounded to.
    if stages and stem.width == blueprint.stages[0].width:
        return Stage(stem.name, stages[0].width, blocks)
    return Stage(stem.name, _scale_width(stem.width, factors.width, rounding), blocks)


@lru_cache(maxsize=REMEMBERED)
def _scales(block: Block) -> bool:
    return bool(block.get("scales", True))


@lru_cache(maxsize=REMEMBERED)
def _scale_stage(stage: Stage, factors: Factors, rounding: Rounding, mlp: float | None) -> Stage:
    bottleneck, group_width = _grouping(stage)
    leading = num_leading(stage.blocks)
    numbers = StageNumbers(stage.depth - leading, stage.width, bottleneck, group_width)
    scaled = scale_stage(numbers, factors, rounding)
    width = _headed_width(stage, factors.width) or scaled.width
    blocks = with_depth(stage.blocks, leading + scaled.depth if stage.depth > leading else leading)
    if factors.width != 1 or factors.group != 1 or mlp is not None:
        head_scale = width / stage.width
        blocks = tuple(_scale_block(b, factors, rounding, scaled.group_width, head_scale, mlp) for b in blocks)
    return Stage(stage.name, width, blocks)


def _grouping(stage: Stage) -> tuple[float, int]:
    """Return (bottleneck, group width) of the stage's grouped convolutions; (1, 1) where there are none."""
    found = {_block_grouping(block) for block in stage.blocks} - {None}
    if len(found) > 1:
        pairs = ", ".join(f"{group} (bottleneck {bottleneck:g})" for bottleneck, group in sorted(filter(None, found)))
        raise UsageError(f"{stage.name} mixes group widths {pairs}: a stage that is scaled has one")
    return (found.pop() if found else None) or (1.0, 1)


@lru_cache(maxsize=REMEMBERED)
def _block_grouping(block: Block) -> tuple[float, int] | None:
    settings = dict(block.settings)
    if "group_width" not in settings:
        return None
    return float(settings.get("bottleneck", 1.0)), int(settings["group_width"])


def _headed_width(stage: Stage, factor: float) -> int | None:
    """Return the width that keeps every head's channels where heads share out the width; None where none do."""
    if factor == 1:
        return None
    heads = set(map(_sharing_heads, stage.blocks)) - {0}
    if not heads:
        return None
    step = math.lcm(*(stage.width // number for number in heads))
    return max(1, round(stage.width * factor / step)) * step


@lru_cache(maxsize=REMEMBERED)
def _sharing_heads(block: Block) -> int:
    """Return the number of heads that share out the width; 0 where none do."""
    settings = dict(block.settings)
    return int(settings.get("heads", 0)) if "head_dim" not in settings else 0


def _scale_width(width: int, factor: float, rounding: Rounding) -> int:
    # A width of 0 says that a layer is absent.
    return width if factor == 1 or width == 0 else rounding.width(width, factor)


@lru_cache(maxsize=REMEMBERED)
def _scale_block(
    block: Block,
    factors: Factors,
    rounding: Rounding,
    group_width: int = 1,
    head_scale: float = 1.0,
    mlp: float | None = None,
) -> Block:
    settings = dict(block.settings)
    mlp = factors.width if mlp is None else mlp
    changes: dict[str, Setting] = {}
    for name, value in settings.items():
        if name == "group_width":
            changes[name] = group_width
        elif name.endswith("_width"):
            factor = mlp if name.endswith("mlp_width") else factors.width
            changes[name] = _scale_width(int(value), factor, rounding)
        elif name == "mlp_ratio" and mlp != factors.width:
            changes[name] = float(value) * mlp / factors.width
        elif name == "heads":
            scale = factors.width if "head_dim" in settings else head_scale
            changes[name] = max(1, round(int(value) * scale))
    return block.replace(**changes) if changes else block
