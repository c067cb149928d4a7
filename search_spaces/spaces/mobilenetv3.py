"""MobileNetV3 (Howard et al. 2019): inverted bottlenecks with squeeze-and-excitation and hard swish, large and small.

``form="large"`` and ``form="small"`` hold the published sizes at the multipliers 0.75 and 1.0;
``form="small_image"`` is for images of 8 to 64 pixels.
"""

from __future__ import annotations

from typing import Literal

from search_spaces.blueprint import Block, Blueprint
from search_spaces.mobile import Row, Table, mobile_network, scaled, stage_blocks
from search_spaces.mobile_space import HeadSizes, MobileForm, MobileSettings, MobileSpace, StageChoices
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces

STEM_WIDTH = 16
LARGE: Table = (
    (Row(1, 3, 1, 1, 16, activation="relu"),),
    (Row(1, 3, 2, 4, 24, activation="relu"), Row(1, 3, 1, 3, 24, activation="relu")),
    (Row(3, 5, 2, 3, 40, True, "relu"),),
    (Row(1, 3, 2, 6, 80), Row(1, 3, 1, 2.5, 80), Row(2, 3, 1, 2.3, 80)),
    (Row(2, 3, 1, 6, 112, True),),
    (Row(3, 5, 2, 6, 160, True),),
)
SMALL: Table = (
    (Row(1, 3, 2, 1, 16, True, "relu"),),
    (Row(1, 3, 2, 4.5, 24, activation="relu"), Row(1, 3, 1, 3.67, 24, activation="relu")),
    (Row(1, 5, 2, 4, 40, True), Row(2, 5, 1, 6, 40, True)),
    (Row(2, 5, 1, 3, 48, True),),
    (Row(3, 5, 2, 6, 96, True),),
)
# (table, width of the head's expansion, width of its feature mix)
VARIANTS: dict[str, tuple[Table, int, int]] = {"large": (LARGE, 960, 1280), "small": (SMALL, 576, 1024)}


def head_of(expand_width: int, mix_width: int, activation: str = "hard_swish") -> Block:
    """Return MobileNetV3's head: adaptive pooling, and a bias in the feature mix."""
    return Block.of(
        "mobile_head",
        expand_width=expand_width,
        mix_width=mix_width,
        activation=activation,
        mix_bias=True,
        adaptive_pool=True,
    )


def minimal(table: Table) -> Table:
    """Return ``table`` without squeeze-and-excitation, 5x5 kernels and hard swish: the "minimalistic" networks."""
    return [tuple(Row(row.num, 3, row.stride, row.expansion, row.width) for row in rows) for rows in table]


def mobilenetv3(
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
    variant: str = "large",
    width: float = 1.0,
    minimalistic: bool = False,
) -> Blueprint:
    """Return MobileNetV3 ``large`` or ``small``; the stem keeps its width under a multiplier below 0.75."""
    table, expand_width, mix_width = VARIANTS[variant]
    activation = "relu" if minimalistic else "hard_swish"
    stages = stage_blocks(scaled(minimal(table) if minimalistic else table, width), activation)
    stem_width = STEM_WIDTH if width < 0.75 else make_divisible(STEM_WIDTH * width)
    head = head_of(make_divisible(expand_width * width), mix_width, activation)
    return mobile_network("mobilenetv3", resolution, num_classes, in_channels, (stem_width, activation), stages, head)


def _form(variant: str, expansions: tuple[float, ...]) -> MobileForm:
    """Return the published form: the table's first stage is fixed, the others are searched around their row."""
    table, _, mix_width = VARIANTS[variant]
    stages = []
    for index, rows in enumerate(table):
        num, first = sum(row.num for row in rows), rows[0]
        block = Block.of("mbconv", activation=first.activation or "hard_swish", squeeze_excite=first.squeeze_excite)
        if index == 0:
            stages.append(StageChoices((first.width,), (1,), (3,), (1,), first.stride, block))
        else:
            depths = tuple(range(1, num + 1))
            stages.append(StageChoices((first.width,), depths, (3, 5, 7), expansions, first.stride, block))
    return MobileForm((STEM_WIDTH,), "hard_swish", tuple(stages), (mix_width,), (128, 160, 192, 224), (0.75, 1.0))


RELU = Block.of("mbconv", activation="relu", squeeze_excite=False)
GATED = Block.of("mbconv", activation="hard_swish", squeeze_excite=True)
FORMS = {
    "large": _form("large", (2.3, 2.5, 3, 4, 6)),
    "small": _form("small", (3, 3.67, 4, 4.5, 6)),
    "small_image": MobileForm(
        stem_widths=(16,),
        stem_activation="hard_swish",
        stages=(
            StageChoices((8,), (1,), (3,), (1,), 1, RELU),
            StageChoices((16,), (1, 2), (3, 5), (2, 3, 4), 2, RELU),
            StageChoices((24,), (1, 2, 3), (3, 5), (2, 3, 4), 2, GATED),
            StageChoices((40,), (1, 2), (3, 5), (2, 3, 4), 1, GATED),
        ),
        head_widths=(160,),
        resolutions=(8, 12, 16),
        width_multipliers=(0.5, 0.75, 1.0),
    ),
}


class MobileNetV3Settings(MobileSettings):
    """Settings of the space."""

    form: Literal["large", "small", "small_image"] = "large"


@spaces.register("mobilenetv3")
class MobileNetV3(MobileSpace):
    """MobileNetV3. ``stage1`` is the fixed first block."""

    name = "mobilenetv3"
    Settings = MobileNetV3Settings
    forms = FORMS

    def head(self, sizes: HeadSizes) -> Block:
        """Return MobileNetV3's head; its expansion is six times the last stage, the mix keeps its width."""
        return head_of(6 * sizes.last_width, sizes.width)
