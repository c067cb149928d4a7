"""UniRepLKNet (Ding et al. 2024): kernel and expansion of each block, depth per stage, width, resolution.

``form`` is ``atto`` or ``tiny``, around UniRepLKNet-A and -T, or ``small_image`` for images of 8 to 64 pixels. Kernels
end at 13, the largest that a published network has; from 7 on they train with dilated branches, which
``reparameterise.merge`` folds away; small and large ones are different operators, so that the knob is categorical.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.spaces import spaces
from search_spaces.staged import BlockValues, StagedForm, StagedSettings, StagedSpace

EXPANSIONS = (2, 3, 4)
KERNEL = frozenset({"kernel"})
SMALL = {"kernel": (3, 5), "expansion": EXPANSIONS}
LARGE = {"kernel": (3, 5, 7, 9, 11, 13), "expansion": EXPANSIONS}
SMALL_IMAGE = {"kernel": (3, 5, 7), "expansion": EXPANSIONS}

FORMS = {
    "atto": StagedForm(
        (160, 192, 224),
        (32, 40, 48),
        ((1, 2), (1, 2), (4, 6, 8), (1, 2)),
        ((SMALL,), (LARGE,), (LARGE,), (LARGE,)),
        width_step=4,
        categorical=KERNEL,
    ),
    "tiny": StagedForm(
        (160, 192, 224),
        (64, 80, 96),
        ((2, 3), (2, 3), (12, 15, 18), (2, 3)),
        ((SMALL,), (LARGE,), (LARGE,), (LARGE,)),
        width_step=4,
        categorical=KERNEL,
    ),
    "small_image": StagedForm(
        (8, 12, 16), (12, 16), ((1, 2), (1, 2), (1, 2)), ((SMALL_IMAGE,),) * 3, width_step=4, categorical=KERNEL
    ),
}


def unireplknet(
    resolution: tuple[int, int],
    in_channels: int,
    num_classes: int,
    width: int,
    stages: Sequence[Sequence[BlockValues]],
    stem_stride: int = 4,
    merged: bool = False,
) -> Blueprint:
    """Return the UniRepLKNet of these sizes.

    Args:
        resolution: (height, width) of the image in pixels.
        in_channels: of the image.
        num_classes: width of the classifier.
        width: of the first stage; each stage doubles it.
        stages: kernel and expansion of each block of each stage.
        stem_stride: 1, 2 or 4.
        merged: the form that runs after training, instead of the one that trains.
    """
    return Blueprint(
        family="unireplknet",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (Block.of("double_conv_stem", stride=stem_stride),)),
        stages=tuple(
            Stage(f"stage{index + 1}", width * 2**index, _blocks(index, blocks, merged))
            for index, blocks in enumerate(stages)
        ),
        head=Stage("head", num_classes, (Block.of("layer_norm_head", pooling="mean"),)),
    )


def _blocks(index: int, blocks: Sequence[BlockValues], merged: bool) -> tuple[Block, ...]:
    return tuple(
        Block.of("unireplknet", stride=2 if index > 0 and number == 0 else 1, merged=merged, **values)
        for number, values in enumerate(blocks)
    )


class UniRepLKNetSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["atto", "tiny", "small_image"] = "atto"


@spaces.register("unireplknet")
class UniRepLKNetSpace(StagedSpace):
    """UniRepLKNet in the form that trains."""

    name = "unireplknet"
    forms = FORMS
    Settings = UniRepLKNetSettings

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        size, classes = (resolution, resolution), self.settings.num_classes
        stem_stride = 2 if self.settings.form == "small_image" else 4
        return unireplknet(size, self.settings.in_channels, classes, width, stages, stem_stride)
