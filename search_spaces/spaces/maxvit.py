"""MaxViT (Tu et al. 2022): expansion, heads, MLP ratio and window of each block, depth per stage, width, resolution.

``form`` is ``tiny`` or ``base``, which hold MaxViT-T and -B, or ``small_image`` for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.networks import Resolution
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces
from search_spaces.staged import BlockValues, Choices, StagedForm, StagedSettings, StagedSpace
from search_spaces.window_sizes import check_stages


def _choices(
    heads: Sequence[tuple[int, ...]],
    windows: Sequence[tuple[int, ...]],
    expansions: tuple[float, ...],
    mlp_ratios: tuple[float, ...],
) -> tuple[tuple[Choices], ...]:
    return tuple(
        ({"expansion": expansions, "heads": number, "mlp_ratio": mlp_ratios, "window": sides},)
        for number, sides in zip(heads, windows, strict=True)
    )


WINDOWS = ((7, 14), (7, 14), (7, 14), (7,))
EXPANSIONS, MLP_RATIOS = (2.0, 3.0, 4.0), (2.0, 3.0, 4.0)
FORMS = {
    "tiny": StagedForm(
        (224,),
        (48, 56, 64),
        ((1, 2), (1, 2), (3, 4, 5), (1, 2)),
        _choices(((1, 2), (2, 3, 4), (4, 6, 8), (8, 12, 16)), WINDOWS, EXPANSIONS, MLP_RATIOS),
        patch=32,
    ),
    "base": StagedForm(
        (224,),
        (72, 96),
        ((1, 2), (2, 4, 6), (5, 10, 14), (1, 2)),
        _choices(((2, 3), (4, 5, 6), (8, 10, 12), (16, 20, 24)), WINDOWS, EXPANSIONS, MLP_RATIOS),
        patch=32,
    ),
    "small_image": StagedForm(
        (8, 16),
        (8, 12),
        ((1, 2), (1, 2)),
        _choices(((1, 2), (2, 3)), ((2, 4), (2, 4)), (2.0, 3.0), (1.0, 2.0)),
        patch=4,
    ),
}
# Width of the stem, relative to the first stage's.
STEM_RATIOS = {"tiny": 1.0, "base": 2 / 3, "small_image": 1.0}
STEM_STRIDES = {"tiny": 2, "base": 2, "small_image": 1}
HEAD_DIMS = {"tiny": 32, "base": 32, "small_image": 8}


def maxvit(
    resolution: Resolution,
    num_classes: int,
    in_channels: int,
    *,
    width: int,
    stem_width: int,
    stages: Sequence[Sequence[BlockValues]],
    head_dim: int = 32,
    stem_stride: int = 2,
) -> Blueprint:
    """Return the MaxViT of these sizes.

    Args:
        resolution: (height, width) of the image in pixels.
        num_classes: width of the classifier.
        in_channels: of the image.
        width: of the first stage; each stage doubles it and halves the sides of the map.
        stem_width: of the stem.
        stages: expansion, heads, MLP ratio and window of each block of each stage.
        head_dim: channels of a head.
        stem_stride: of the stem's first convolution.

    Raises:
        UsageError: where it is built or counted, if a window does not divide its map.
    """
    last = width * 2 ** (len(stages) - 1)
    return Blueprint(
        family="maxvit",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", stem_width, (Block.of("maxvit_stem", stride=stem_stride),)),
        stages=tuple(_stage(index, width * 2**index, blocks, head_dim) for index, blocks in enumerate(stages)),
        head=Stage("head", num_classes, (Block.of("maxvit_head", hidden_width=last),)),
    )


def _stage(index: int, width: int, blocks: Sequence[BlockValues], head_dim: int) -> Stage:
    placed = tuple(
        Block.of(
            "maxvit",
            expansion=values["expansion"],
            heads=values["heads"],
            head_dim=head_dim,
            mlp_width=int(width * float(values["mlp_ratio"])),
            window=values["window"],
            stride=2 if number == 0 else 1,
        )
        for number, values in enumerate(blocks)
    )
    return Stage(f"stage{index + 1}", width, placed)


class MaxVitSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "base", "small_image"] = "tiny"


@spaces.register("maxvit")
class MaxVitSpace(StagedSpace):
    """MaxViT. A window is never larger than its map."""

    name = "maxvit"
    forms = FORMS
    Settings = MaxVitSettings

    def __init__(self, settings: StagedSettings) -> None:
        super().__init__(settings)
        for side in self.resolutions:
            first = side // STEM_STRIDES[settings.form] // 2
            check_stages((first, first), [choices["window"] for (choices,) in self.form.choices])

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        form = self.settings.form
        ratio = STEM_RATIOS[form]
        return maxvit(
            (resolution, resolution),
            self.settings.num_classes,
            self.settings.in_channels,
            width=width,
            stem_width=width if ratio == 1 else make_divisible(width * ratio),
            stages=stages,
            head_dim=HEAD_DIMS[form],
            stem_stride=STEM_STRIDES[form],
        )
