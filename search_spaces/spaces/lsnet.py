"""LSNet (Wang et al. 2025): large kernel and expansion of each block, depth per stage, width, resolution.

``form`` is ``tiny`` or ``base``, around LSNet-T and -B, or ``small_image`` for images of 8 to 64 pixels. Blocks of even
position (from 0) are RepVGG-style depthwise convolutions, those of odd position "see large, focus small" convolutions,
or attention in the last stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.spaces import spaces
from search_spaces.staged import BlockValues, Choices, StagedForm, StagedSettings, StagedSpace

RESOLUTIONS = (160, 192, 224)
EXPANSION: Choices = {"expansion": (1, 2, 3)}
LARGE: Choices = {"kernel": (3, 5, 7), **EXPANSION}
CHOICES = ((EXPANSION, LARGE), (EXPANSION, LARGE), (EXPANSION, LARGE), (EXPANSION,))

FORMS = {
    "tiny": StagedForm(RESOLUTIONS, (48, 56, 64), ((0, 1), (1, 2), (6, 7, 8), (8, 9, 10)), CHOICES, width_step=8),
    "base": StagedForm(
        RESOLUTIONS, (96, 112, 128), ((2, 3, 4), (4, 5, 6), (6, 7, 8), (8, 9, 10)), CHOICES, width_step=8
    ),
    "small_image": StagedForm((8, 12, 16), (16, 24), ((1, 2), (1, 2), (1, 2)), CHOICES[1:], width_step=8),
}

# Width of each stage over that of the first.
RATIOS: Mapping[str, tuple[int, ...]] = {"tiny": (1, 2, 4, 6), "base": (1, 2, 3, 4), "small_image": (1, 2, 3)}


def lsnet(
    resolution: tuple[int, int],
    in_channels: int,
    num_classes: int,
    widths: Sequence[int],
    stages: Sequence[Sequence[BlockValues]],
    stem_stride: int = 8,
) -> Blueprint:
    """Return the LSNet of these sizes.

    Args:
        resolution: (height, width) of the image in pixels.
        in_channels: of the image.
        num_classes: width of the classifier.
        widths: of each stage, multiples of 8.
        stages: expansion of each block of each stage and, where it has one, its large kernel. The first stage may be
            empty.
        stem_stride: 1, 2, 4 or 8.

    Raises:
        UsageError: where it is built or counted, if 8 does not divide a width.
    """
    named = [
        Stage(f"stage{index + 1}", width, _blocks(index, blocks, last=index == len(stages) - 1))
        for index, (width, blocks) in enumerate(zip(widths, stages, strict=True))
    ]
    return Blueprint(
        family="lsnet",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", widths[0], (Block.of("triple_conv_stem", stride=stem_stride),)),
        stages=tuple(stage for stage in named if stage.blocks),
        head=Stage("head", num_classes, (Block.of("batch_norm_head"),)),
    )


def _blocks(index: int, blocks: Sequence[BlockValues], last: bool) -> tuple[Block, ...]:
    kinds = ("repvgg_dw", "lsnet_attention" if last else "lsconv")
    return tuple(
        Block.of(kinds[number % 2], stride=2 if index > 0 and number == 0 else 1, **values)
        for number, values in enumerate(blocks)
    )


class LSNetSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "base", "small_image"] = "tiny"


@spaces.register("lsnet")
class LSNetSpace(StagedSpace):
    """LSNet."""

    name = "lsnet"
    forms = FORMS
    Settings = LSNetSettings

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        size, form = (resolution, resolution), self.settings.form
        widths = [width * ratio for ratio in RATIOS[form]]
        stem_stride = 2 if form == "small_image" else 8
        return lsnet(size, self.settings.in_channels, self.settings.num_classes, widths, stages, stem_stride)
