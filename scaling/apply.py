"""Scaling applied to a blueprint: any family, through the meaning of its settings.

What a setting's name says: ``stride`` belongs to the block that has it and is never repeated; names that end in
``_width`` are channels; ``heads`` counts attention heads, of ``head_dim`` channels each, or of width / heads channels
where there is no ``head_dim``; ``group_width`` and ``bottleneck`` describe a grouped convolution of width * bottleneck
channels; a stem whose ``scales`` is false stays as it is; the stem's stride, which may be a patch, must
divide the image. Other settings are ratios, kernels and switches: they stay.
"""

from __future__ import annotations

import math
from dataclasses import replace

from scaling.factors import Factors
from scaling.quantise import FAST, Rounding, StageNumbers, round_resolution, scale_stage
from search_spaces.blueprint import Block, Blueprint, Setting, Stage
from search_spaces.errors import UsageError


def scale_blueprint(blueprint: Blueprint, factors: Factors, rounding: Rounding = FAST) -> Blueprint:
    """Return the blueprint with depth, width, resolution and group widths multiplied by ``factors`` and rounded.

    Stem, stages and the inner widths of the head scale; the number of classes and the input channels stay.

    Raises:
        UsageError: one stage mixes several group widths.
    """
    stages = tuple(_scale_stage(stage, factors, rounding) for stage in blueprint.stages)
    head = replace(blueprint.head, blocks=tuple(_scale_block(b, factors, rounding) for b in blueprint.head.blocks))
    return replace(
        blueprint,
        resolution=_scale_resolution(blueprint, factors.resolution),
        stem=_scale_stem(blueprint, stages, factors, rounding),
        stages=stages,
        head=head,
    )


def _scale_resolution(blueprint: Blueprint, factor: float) -> tuple[int, int]:
    if factor == 1:
        return blueprint.resolution
    multiple = math.lcm(4, *(int(block.get("stride", 1)) for block in blueprint.stem.blocks))
    height, width = blueprint.resolution
    return round_resolution(height, factor, multiple), round_resolution(width, factor, multiple)


def _scale_stem(blueprint: Blueprint, stages: tuple[Stage, ...], factors: Factors, rounding: Rounding) -> Stage:
    stem = blueprint.stem
    if not all(block.get("scales", True) for block in stem.blocks):
        return stem
    blocks = tuple(_scale_block(block, factors, rounding) for block in stem.blocks)
    # A stem as wide as the first stage feeds its residual sums, which need the width that the stage was rounded to.
    if stages and stem.width == blueprint.stages[0].width:
        return Stage(stem.name, stages[0].width, blocks)
    return Stage(stem.name, _scale_width(stem.width, factors, rounding), blocks)


def _scale_stage(stage: Stage, factors: Factors, rounding: Rounding) -> Stage:
    bottleneck, group_width = _grouping(stage)
    numbers = scale_stage(StageNumbers(stage.depth, stage.width, bottleneck, group_width), factors, rounding)
    width = _headed_width(stage, factors.width) or numbers.width
    head_scale = width / stage.width
    blocks = tuple(
        _scale_block(block, factors, rounding, numbers.group_width, head_scale)
        for block in _repeated(stage.blocks, numbers.depth)
    )
    return Stage(stage.name, width, blocks)


def _grouping(stage: Stage) -> tuple[float, int]:
    """Return (bottleneck, group width) of the stage's grouped convolutions; (1, 1) where there are none."""
    found = {
        (float(block.get("bottleneck", 1.0)), int(block.get("group_width", 1)))
        for block in stage.blocks
        if "group_width" in dict(block.settings)
    }
    if len(found) > 1:
        pairs = ", ".join(f"{group} (bottleneck {bottleneck:g})" for bottleneck, group in sorted(found))
        raise UsageError(f"{stage.name} mixes group widths {pairs}: a stage that is scaled has one")
    return found.pop() if found else (1.0, 1)


def _headed_width(stage: Stage, factor: float) -> int | None:
    """Return the width that keeps every head's channels where heads share out the width; None where none do."""
    settings = [dict(block.settings) for block in stage.blocks]
    heads = {int(item["heads"]) for item in settings if "heads" in item and "head_dim" not in item}
    if not heads or factor == 1:
        return None
    step = math.lcm(*(stage.width // number for number in heads))
    return max(1, round(stage.width * factor / step)) * step


def _repeated(blocks: tuple[Block, ...], depth: int) -> tuple[Block, ...]:
    """Return ``depth`` blocks: the first ones, then the last one again, without its stride."""
    last = blocks[-1]
    if int(last.get("stride", 1)) > 1:
        last = last.replace(stride=1)
    return blocks[:depth] + (last,) * (depth - len(blocks))


def _scale_width(width: int, factors: Factors, rounding: Rounding) -> int:
    # A width of 0 says that a layer is absent.
    return width if factors.width == 1 or width == 0 else rounding.width(width, factors.width)


def _scale_block(
    block: Block, factors: Factors, rounding: Rounding, group_width: int = 1, head_scale: float = 1.0
) -> Block:
    settings = dict(block.settings)
    changes: dict[str, Setting] = {}
    for name, value in settings.items():
        if name == "group_width":
            changes[name] = group_width
        elif name.endswith("_width"):
            changes[name] = _scale_width(int(value), factors, rounding)
        elif name == "heads":
            scale = factors.width if "head_dim" in settings else head_scale
            changes[name] = max(1, round(int(value) * scale))
    return block.replace(**changes) if changes else block
