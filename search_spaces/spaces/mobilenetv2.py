"""MobileNetV2 (Sandler et al. 2018): inverted bottlenecks without squeeze-and-excitation; width, depth, resolution.

``form="imagenet"`` holds the published sizes; ``form="small_image"`` is for images of 8 to 64 pixels.
"""

from __future__ import annotations

from typing import Literal

from search_spaces.blueprint import Block, Blueprint
from search_spaces.mobile import Row, mobile_network, scaled, stage_blocks
from search_spaces.mobile_space import HeadSizes, MobileForm, MobileSettings, MobileSpace, StageChoices
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces

STEM_WIDTH, HEAD_WIDTH = 32, 1280
TABLE = (
    (Row(1, 3, 1, 1, 16),),
    (Row(2, 3, 2, 6, 24),),
    (Row(3, 3, 2, 6, 32),),
    (Row(4, 3, 2, 6, 64),),
    (Row(3, 3, 1, 6, 96),),
    (Row(3, 3, 2, 6, 160),),
    (Row(1, 3, 1, 6, 320),),
)


def head_of(width: float, base: int = HEAD_WIDTH) -> Block:
    """Return the head: the 1x1 convolution grows with the multiplier but never shrinks."""
    return Block.of("pool_head", expand_width=max(base, make_divisible(base * width)), activation="relu6")


def mobilenetv2(
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
    width: float = 1.0,
    depth: float = 1.0,
    fixed_ends: bool = False,
) -> Blueprint:
    """Return MobileNetV2 with width and depth multipliers.

    ``fixed_ends`` leaves the stem's and head's width and the first and last stage's depth as they are.
    """
    stem_width = STEM_WIDTH if fixed_ends else make_divisible(STEM_WIDTH * width)
    stages = stage_blocks(scaled(TABLE, width, depth, fixed_ends), "relu6")
    head = head_of(1.0 if fixed_ends else width)
    return mobile_network("mobilenetv2", resolution, num_classes, in_channels, (stem_width, "relu6"), stages, head)


BLOCK = Block.of("mbconv", activation="relu6", squeeze_excite=False)


def _choices(width: int, depths: tuple[int, ...], stride: int) -> StageChoices:
    return StageChoices((width,), depths, (3, 5, 7), (3, 4, 6), stride, BLOCK)


FORMS = {
    "imagenet": MobileForm(
        stem_widths=(STEM_WIDTH,),
        stem_activation="relu6",
        stages=(
            StageChoices((16,), (1,), (3,), (1,), 1, BLOCK),
            *(_choices(row.width, tuple(range(1, row.num + 1)), row.stride) for (row,) in TABLE[1:]),
        ),
        head_widths=(HEAD_WIDTH,),
        resolutions=(96, 128, 160, 192, 224),
        width_multipliers=(0.35, 0.5, 0.75, 1.0, 1.4),
    ),
    "small_image": MobileForm(
        stem_widths=(16,),
        stem_activation="relu6",
        stages=(
            StageChoices((8,), (1,), (3,), (1,), 1, BLOCK),
            StageChoices((16,), (1, 2), (3, 5), (3, 4, 6), 2, BLOCK),
            StageChoices((24,), (1, 2, 3), (3, 5), (3, 4, 6), 2, BLOCK),
            StageChoices((40,), (1, 2), (3,), (3, 4, 6), 1, BLOCK),
        ),
        head_widths=(160,),
        resolutions=(8, 12, 16),
        width_multipliers=(0.5, 0.75, 1.0),
    ),
}


class MobileNetV2Settings(MobileSettings):
    """Settings of the space."""

    form: Literal["imagenet", "small_image"] = "imagenet"


@spaces.register("mobilenetv2")
class MobileNetV2(MobileSpace):
    """MobileNetV2. ``stage1`` is the fixed first block."""

    name = "mobilenetv2"
    Settings = MobileNetV2Settings
    forms = FORMS

    def head(self, sizes: HeadSizes) -> Block:
        """Return the head of MobileNetV2."""
        return head_of(sizes.multiplier, sizes.width)
