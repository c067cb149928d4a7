"""Networks of inverted bottlenecks from tables of layers: what MobileNet, MnasNet and EfficientNet papers print.

A ``Row`` is one line of such a table, a stage is one or more rows of one width. ``scaled`` applies a width and a depth
multiplier; ``mobile_network`` makes the blueprint: 3x3 stem of stride 2, the stages, a head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from search_spaces.blueprint import Block, Blueprint, Setting, Stage
from search_spaces.rounding import make_divisible


@dataclass(frozen=True)
class Row:
    """A run of equal blocks; the first has the stride.

    Attributes:
        num: how many.
        kernel, stride, expansion: of each block.
        width: output channels.
        squeeze_excite: whether the blocks have squeeze-and-excitation.
        activation: of these blocks where it is not the network's, or "".
        kind: the block's name.
    """

    num: int
    kernel: int
    stride: int
    expansion: float
    width: int
    squeeze_excite: bool = False
    activation: str = ""
    kind: str = "mbconv"

    def blocks(self, activation: str, **settings: Setting) -> tuple[Block, ...]:
        """Return the blocks; ``settings`` are those of the family that its ``mbconv`` blocks share."""
        block = Block.of(
            self.kind, kernel=self.kernel, expansion=self.expansion, activation=self.activation or activation
        )
        if self.kind == "mbconv":
            block = block.replace(squeeze_excite=self.squeeze_excite, **settings)
        return tuple(block.replace(stride=self.stride if number == 0 else 1) for number in range(self.num))


Rows = tuple[Row, ...]
Table = Sequence[Rows]
StageBlocks = tuple[int, tuple[Block, ...]]
Rounding = Callable[[float], int]


def nearest_multiple(width: float) -> int:
    """Return the nearest multiple of 8, at least 8 (EfficientNetV2, which may lose over a tenth)."""
    return max(8, int(width + 4) // 8 * 8)


def scaled(
    table: Table, width: float, depth: float = 1.0, fixed_ends: bool = False, rounding: Rounding = make_divisible
) -> list[Rows]:
    """Return ``table`` with its widths times ``width``, rounded, and its runs ceil(num x depth) long.

    ``fixed_ends`` leaves the depth of the first and the last stage as it is.
    """
    found = []
    for index, rows in enumerate(table):
        factor = 1.0 if fixed_ends and index in (0, len(table) - 1) else depth
        found.append(tuple(replace(row, width=rounding(row.width * width), num=ceil(row.num * factor)) for row in rows))
    return found


def stage_blocks(table: Table, activation: str, **settings: Setting) -> list[StageBlocks]:
    """Return (width, blocks) of every stage of ``table``."""
    return [(rows[0].width, sum((row.blocks(activation, **settings) for row in rows), ())) for rows in table]


def mobile_network(
    family: str,
    resolution: tuple[int, int],
    num_classes: int,
    in_channels: int,
    stem: tuple[int, str],
    stages: Sequence[StageBlocks],
    head: Block,
    stem_stride: int = 2,
) -> Blueprint:
    """Return the blueprint.

    Args:
        family: name of the space.
        resolution: (height, width) in pixels.
        num_classes: width of the classifier.
        in_channels: of the image.
        stem: width and activation of the first convolution, 3x3.
        stages: (width, blocks) each.
        head: block of the head.
        stem_stride: of the first convolution.
    """
    first = Block.of("conv_stem", kernel=3, stride=stem_stride, activation=stem[1])
    return Blueprint(
        family=family,
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", stem[0], (first,)),
        stages=tuple(Stage(f"stage{n}", width, blocks) for n, (width, blocks) in enumerate(stages, start=1)),
        head=Stage("head", num_classes, (head,)),
    )
