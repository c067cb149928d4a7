"""EfficientNet (Tan & Le 2019): compound scaling of inverted bottlenecks with squeeze-and-excitation.

Its relatives of the same block are here too, as tables: MnasNet (Tan et al. 2019), Single-Path NAS (Stamoulis et al.
2019) and FBNet-C (Wu et al. 2019). ``form="b0"`` is the space around EfficientNet-B0 that holds B0 to B3;
``form="small_image"`` is for images of 8 to 64 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from search_spaces.blueprint import Block, Blueprint
from search_spaces.mobile import Row, Table, mobile_network, scaled, stage_blocks
from search_spaces.mobile_space import HeadSizes, MobileForm, MobileSettings, MobileSpace, StageChoices
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces


@dataclass(frozen=True)
class Base:
    """A network before scaling: table, widths of stem and head, activation, whether 1x1 expansions are always there."""

    table: Table
    stem_width: int
    head_width: int
    activation: str
    always_expand: bool = False


BASES = {
    "efficientnet": Base(
        (
            (Row(1, 3, 1, 1, 16, True),),
            (Row(2, 3, 2, 6, 24, True),),
            (Row(2, 5, 2, 6, 40, True),),
            (Row(3, 3, 2, 6, 80, True),),
            (Row(3, 5, 1, 6, 112, True),),
            (Row(4, 5, 2, 6, 192, True),),
            (Row(1, 3, 1, 6, 320, True),),
        ),
        32,
        1280,
        "silu",
    ),
    "mnasnet_b1": Base(
        (
            (Row(1, 3, 1, 1, 16),),
            (Row(3, 3, 2, 3, 24),),
            (Row(3, 5, 2, 3, 40),),
            (Row(3, 5, 2, 6, 80),),
            (Row(2, 3, 1, 6, 96),),
            (Row(4, 5, 2, 6, 192),),
            (Row(1, 3, 1, 6, 320),),
        ),
        32,
        1280,
        "relu",
    ),
    "mnasnet_a1": Base(
        (
            (Row(1, 3, 1, 1, 16),),
            (Row(2, 3, 2, 6, 24),),
            (Row(3, 5, 2, 3, 40, True),),
            (Row(4, 3, 2, 6, 80),),
            (Row(2, 3, 1, 6, 112, True),),
            (Row(3, 5, 2, 6, 160, True),),
            (Row(1, 3, 1, 6, 320),),
        ),
        32,
        1280,
        "relu",
    ),
    "mnasnet_small": Base(
        (
            (Row(1, 3, 1, 1, 8),),
            (Row(1, 3, 2, 3, 16),),
            (Row(2, 3, 2, 6, 16),),
            (Row(4, 5, 2, 6, 32, True),),
            (Row(3, 3, 1, 6, 32, True),),
            (Row(3, 5, 2, 6, 88, True),),
            (Row(1, 3, 1, 6, 144),),
        ),
        8,
        1280,
        "relu",
    ),
    "spnasnet": Base(
        (
            (Row(1, 3, 1, 1, 16),),
            (Row(3, 3, 2, 3, 24),),
            (Row(1, 5, 2, 6, 40), Row(3, 3, 1, 3, 40)),
            (Row(1, 5, 2, 6, 80), Row(3, 3, 1, 3, 80)),
            (Row(1, 5, 1, 6, 96), Row(3, 5, 1, 3, 96)),
            (Row(4, 5, 2, 6, 192),),
            (Row(1, 3, 1, 6, 320),),
        ),
        32,
        1280,
        "relu",
    ),
    "fbnetc": Base(
        (
            (Row(1, 3, 1, 1, 16),),
            (Row(1, 3, 2, 6, 24), Row(2, 3, 1, 1, 24)),
            (Row(1, 5, 2, 6, 32), Row(1, 5, 1, 3, 32), Row(1, 5, 1, 6, 32), Row(1, 3, 1, 6, 32)),
            (Row(1, 5, 2, 6, 64), Row(1, 5, 1, 3, 64), Row(2, 5, 1, 6, 64)),
            (Row(3, 5, 1, 6, 112), Row(1, 5, 1, 3, 112)),
            (Row(4, 5, 2, 6, 184),),
            (Row(1, 3, 1, 6, 352),),
        ),
        16,
        1984,
        "relu",
        always_expand=True,
    ),
}


def efficientnet(
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
    base: str = "efficientnet",
    width: float = 1.0,
    depth: float = 1.0,
    scale_head: bool = True,
) -> Blueprint:
    """Return ``base`` with width and depth multipliers; ``scale_head``: the head's width follows the multiplier."""
    given = BASES[base]
    table = scaled(given.table, width, depth)
    expand = given.always_expand
    stages = stage_blocks(table, given.activation, squeeze_style="efficientnet", always_expand=expand)
    stem = (make_divisible(given.stem_width * width), given.activation)
    head_width = make_divisible(given.head_width * width) if scale_head else given.head_width
    head = Block.of("pool_head", expand_width=head_width, activation=given.activation)
    return mobile_network("efficientnet", resolution, num_classes, in_channels, stem, stages, head)


BLOCK = Block.of("mbconv", activation="silu", squeeze_excite=True, squeeze_style="efficientnet", always_expand=False)


def _around_b0() -> MobileForm:
    """Return B0 to B3 and what lies between: each stage's depth from B0's to B3's."""
    stages = []
    for (row,) in BASES["efficientnet"].table:
        depths = tuple(range(row.num, ceil(1.4 * row.num) + 1))
        kernels, expansions = ((3, 5), (3, 4, 6)) if row.expansion > 1 else ((3,), (1,))
        stages.append(StageChoices((row.width,), depths, kernels, expansions, row.stride, BLOCK))
    return MobileForm((32,), "silu", tuple(stages), (1280,), (192, 224, 240, 260, 300), (1.0, 1.1, 1.2))


FORMS = {
    "b0": _around_b0(),
    "small_image": MobileForm(
        stem_widths=(16,),
        stem_activation="silu",
        stages=(
            StageChoices((8,), (1,), (3,), (1,), 1, BLOCK),
            StageChoices((16,), (1, 2), (3, 5), (2, 3, 4), 2, BLOCK),
            StageChoices((24,), (1, 2, 3), (3, 5), (2, 3, 4), 2, BLOCK),
            StageChoices((40,), (1, 2), (3, 5), (2, 3, 4), 1, BLOCK),
        ),
        head_widths=(160,),
        resolutions=(8, 12, 16),
        width_multipliers=(0.5, 0.75, 1.0),
    ),
}


class EfficientNetSettings(MobileSettings):
    """Settings of the space."""

    form: Literal["b0", "small_image"] = "b0"


@spaces.register("efficientnet")
class EfficientNet(MobileSpace):
    """EfficientNet. Stem, stages and head all follow the width multiplier."""

    name = "efficientnet"
    Settings = EfficientNetSettings
    forms = FORMS

    def head(self, sizes: HeadSizes) -> Block:
        """Return the 1x1 convolution, pooling and classifier."""
        return Block.of("pool_head", expand_width=make_divisible(sizes.width * sizes.multiplier), activation="silu")
