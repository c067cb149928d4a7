"""EfficientNetV2 (Tan & Le 2021): fused inverted bottlenecks in the first stages, plain ones in the others.

``form="b0"`` is the space around EfficientNetV2-B0 that holds B0 to B3, ``form="s"`` the one around S;
``form="small_image"`` is for images of 8 to 64 pixels.
"""

from __future__ import annotations

from math import ceil
from typing import Literal

from search_spaces.blueprint import Block, Blueprint
from search_spaces.mobile import Row, mobile_network, nearest_multiple, scaled, stage_blocks
from search_spaces.mobile_space import HeadSizes, MobileForm, MobileSettings, MobileSpace, StageChoices
from search_spaces.spaces import spaces

HEAD_WIDTH = 1280


def _fused(num: int, stride: int, expansion: int, width: int) -> tuple[Row]:
    return (Row(num, 3, stride, expansion, width, kind="fused_mbconv"),)


def _plain(num: int, stride: int, expansion: int, width: int) -> tuple[Row]:
    return (Row(num, 3, stride, expansion, width, True),)


# The stem has the width of the first stage in S to XL, and 32 in B0.
TABLES: dict[str, tuple[int, tuple[tuple[Row], ...]]] = {
    "b0": (
        32,
        (
            _fused(1, 1, 1, 16),
            _fused(2, 2, 4, 32),
            _fused(2, 2, 4, 48),
            _plain(3, 2, 4, 96),
            _plain(5, 1, 6, 112),
            _plain(8, 2, 6, 192),
        ),
    ),
    "s": (
        24,
        (
            _fused(2, 1, 1, 24),
            _fused(4, 2, 4, 48),
            _fused(4, 2, 4, 64),
            _plain(6, 2, 4, 128),
            _plain(9, 1, 6, 160),
            _plain(15, 2, 6, 256),
        ),
    ),
    "m": (
        24,
        (
            _fused(3, 1, 1, 24),
            _fused(5, 2, 4, 48),
            _fused(5, 2, 4, 80),
            _plain(7, 2, 4, 160),
            _plain(14, 1, 6, 176),
            _plain(18, 2, 6, 304),
            _plain(5, 1, 6, 512),
        ),
    ),
    "l": (
        32,
        (
            _fused(4, 1, 1, 32),
            _fused(7, 2, 4, 64),
            _fused(7, 2, 4, 96),
            _plain(10, 2, 4, 192),
            _plain(19, 1, 6, 224),
            _plain(25, 2, 6, 384),
            _plain(7, 1, 6, 640),
        ),
    ),
    "xl": (
        32,
        (
            _fused(4, 1, 1, 32),
            _fused(8, 2, 4, 64),
            _fused(8, 2, 4, 96),
            _plain(16, 2, 4, 192),
            _plain(24, 1, 6, 256),
            _plain(32, 2, 6, 512),
            _plain(8, 1, 6, 640),
        ),
    ),
}


def efficientnetv2(
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
    base: str = "s",
    width: float = 1.0,
    depth: float = 1.0,
) -> Blueprint:
    """Return ``base`` (``b0``, ``s``, ``m``, ``l``, ``xl``) ; widths are rounded to the nearest multiple of 8."""
    stem_width, table = TABLES[base]
    stages = stage_blocks(scaled(table, width, depth, rounding=nearest_multiple), "silu", squeeze_style="efficientnet")
    stem = (nearest_multiple(stem_width * width), "silu")
    return mobile_network("efficientnetv2", resolution, num_classes, in_channels, stem, stages, head_of(width))


def head_of(width: float, base: int = HEAD_WIDTH) -> Block:
    """Return the 1x1 convolution, pooling and classifier."""
    return Block.of("pool_head", expand_width=nearest_multiple(base * width), activation="silu")


FUSED = Block.of("fused_mbconv", activation="silu")
PLAIN = Block.of("mbconv", activation="silu", squeeze_excite=True, squeeze_style="efficientnet")


def _form(base: str, deepest: float, resolutions: tuple[int, ...], width_multipliers: tuple[float, ...]) -> MobileForm:
    """Return the form around ``base``: each stage from its depth to ``deepest`` times as much."""
    stem_width, table = TABLES[base]
    stages = []
    for (row,) in table:
        depths = tuple(range(row.num, ceil(deepest * row.num) + 1))
        block = FUSED if row.kind == "fused_mbconv" else PLAIN
        kernels, expansions = ((3, 5), (4, 6)) if row.expansion > 1 else ((3,), (1,))
        stages.append(StageChoices((row.width,), depths, kernels, expansions, row.stride, block))
    return MobileForm((stem_width,), "silu", tuple(stages), (HEAD_WIDTH,), resolutions, width_multipliers)


FORMS = {
    "b0": _form("b0", 1.4, (192, 224, 240, 260, 300), (1.0, 1.1, 1.2)),
    "s": _form("s", 1.0, (224, 300, 384), (0.75, 1.0)),
    "small_image": MobileForm(
        stem_widths=(8,),
        stem_activation="silu",
        stages=(
            StageChoices((8,), (1, 2), (3,), (1,), 1, FUSED),
            StageChoices((16,), (1, 2), (3,), (2, 3), 2, FUSED),
            StageChoices((24,), (1, 2), (3, 5), (2, 3, 4), 2, PLAIN),
            StageChoices((40,), (1, 2), (3, 5), (2, 3, 4), 1, PLAIN),
        ),
        head_widths=(160,),
        resolutions=(8, 12, 16),
        width_multipliers=(0.5, 0.75, 1.0),
    ),
}


class EfficientNetV2Settings(MobileSettings):
    """Settings of the space."""

    form: Literal["b0", "s", "small_image"] = "b0"


@spaces.register("efficientnetv2")
class EfficientNetV2(MobileSpace):
    """EfficientNetV2. Stem, stages and head all follow the width multiplier."""

    name = "efficientnetv2"
    Settings = EfficientNetV2Settings
    forms = FORMS

    def rounded(self, width: float) -> int:
        """Return the nearest multiple of 8."""
        return nearest_multiple(width)

    def head(self, sizes: HeadSizes) -> Block:
        """Return EfficientNetV2's head."""
        return head_of(sizes.multiplier, sizes.width)
