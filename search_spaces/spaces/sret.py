"""SReT (Shen et al. 2022): loops, groups, heads and MLP ratio of each block, depth per stage, width, resolution.

A block's weights run ``loops`` times, so that depth grows with few parameters. ``form`` is ``tiny`` or ``small``, which
hold SReT-T, -LT and SReT-S, or ``small_image`` for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.networks import Resolution
from search_spaces.spaces import spaces
from search_spaces.staged import BlockValues, Choices, StagedForm, StagedSettings, StagedSpace


def _choices(heads: tuple[int, ...], groups: tuple[int, ...], later: tuple[int, ...]) -> tuple[Choices]:
    ratios = (3.0, 3.6, 4.0)
    return ({"groups": groups, "heads": heads, "later_groups": later, "loops": (1, 2, 3), "mlp_ratio": ratios},)


RESOLUTIONS = (160, 192, 224)
DEPTHS = ((1, 2), (3, 4, 5), (1, 2, 3))
FORMS = {
    "tiny": StagedForm(
        RESOLUTIONS,
        (48, 64),
        DEPTHS,
        (
            _choices((1, 2), (1, 4, 8), (1, 2)),
            _choices((2, 3, 4), (1, 2, 4), (1, 2)),
            _choices((4, 6, 8), (1,), (1,)),
        ),
        patch=32,
    ),
    "small": StagedForm(
        RESOLUTIONS,
        (84, 126),
        DEPTHS,
        (
            _choices((2, 3), (1, 4, 8), (1, 2)),
            _choices((4, 5, 6), (1, 2, 4), (1, 2)),
            _choices((8, 10, 12), (1,), (1,)),
        ),
        patch=32,
    ),
    "small_image": StagedForm(
        (8, 16),
        (8, 12),
        ((1, 2), (1, 2)),
        (
            ({"groups": (1, 4), "heads": (1, 2), "later_groups": (1, 2), "loops": (1, 2), "mlp_ratio": (1.0, 2.0)},),
            ({"heads": (2, 3), "loops": (1, 2, 3), "mlp_ratio": (1.0, 2.0)},),
        ),
        patch=4,
    ),
}
STEM_STRIDES = {"tiny": 8, "small": 8, "small_image": 2}
HEAD_DIMS = {"tiny": 32, "small": 42, "small_image": 8}
PROJECTION_RATIOS = {"tiny": 1, "small": 2, "small_image": 1}


def sret(
    resolution: Resolution,
    num_classes: int,
    in_channels: int,
    *,
    width: int,
    stages: Sequence[Sequence[BlockValues]],
    head_dim: int = 32,
    projection_ratio: int = 1,
    stem_stride: int = 8,
) -> Blueprint:
    """Return the sliced recursive transformer of these sizes.

    Args:
        resolution: (height, width) of the image in pixels.
        num_classes: width of the classifier.
        in_channels: of the image.
        width: of the first stage; each stage doubles it and halves the sides of the map.
        stages: loops, heads, MLP ratio and, where they are not 1, groups and later groups of each block of each stage.
        head_dim: channels of a head.
        projection_ratio: hidden channels of the MLP after each pass, relative to the width.
        stem_stride: 1, 2, 4 or 8.

    Raises:
        UsageError: where it is built or counted, if groups do not divide the tokens of their map.
    """
    return Blueprint(
        family="sret",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (Block.of("sret_stem", stride=stem_stride),)),
        stages=tuple(
            _stage(index, width * 2**index, blocks, head_dim, projection_ratio) for index, blocks in enumerate(stages)
        ),
        head=Stage("head", num_classes, (Block.of("layer_norm_head", pooling="adaptive"),)),
    )


def _stage(index: int, width: int, blocks: Sequence[BlockValues], head_dim: int, projection_ratio: int) -> Stage:
    placed = tuple(
        Block.of(
            "sret",
            heads=values["heads"],
            head_dim=head_dim,
            mlp_width=int(width * float(values["mlp_ratio"])),
            projection_width=width * projection_ratio,
            loops=values["loops"],
            groups=values.get("groups", 1),
            later_groups=values.get("later_groups", 1),
            stride=2 if index > 0 and number == 0 else 1,
        )
        for number, values in enumerate(blocks)
    )
    return Stage(f"stage{index + 1}", width, placed)


class SretSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "small", "small_image"] = "tiny"


@spaces.register("sret")
class SretSpace(StagedSpace):
    """SReT."""

    name = "sret"
    forms = FORMS
    Settings = SretSettings

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        form = self.settings.form
        return sret(
            (resolution, resolution),
            self.settings.num_classes,
            self.settings.in_channels,
            width=width,
            stages=stages,
            head_dim=HEAD_DIMS[form],
            projection_ratio=PROJECTION_RATIOS[form],
            stem_stride=STEM_STRIDES[form],
        )
