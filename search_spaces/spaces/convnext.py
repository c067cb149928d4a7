"""ConvNeXt (Liu et al. 2022): kernel and expansion of each block, depth per stage, width, resolution.

``form`` is ``tiny`` or ``base``, whose largest network is ConvNeXt-T or -B, or ``small_image`` for images of 8 to 64
pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.spaces import spaces
from search_spaces.staged import BlockValues, StagedForm, StagedSettings, StagedSpace

RESOLUTIONS = (160, 192, 224)
CHOICES = {"kernel": (3, 5, 7), "expansion": (2, 3, 4)}

FORMS = {
    "tiny": StagedForm(RESOLUTIONS, (64, 80, 96), ((2, 3), (2, 3), (5, 7, 9), (2, 3)), ((CHOICES,),) * 4, patch=4),
    "base": StagedForm(RESOLUTIONS, (96, 112, 128), ((2, 3), (2, 3), (9, 18, 27), (2, 3)), ((CHOICES,),) * 4, patch=4),
    "small_image": StagedForm((8, 12, 16), (12, 16, 20), ((1, 2), (1, 2), (1, 2)), ((CHOICES,),) * 3, patch=2),
}


def convnext(
    resolution: tuple[int, int],
    in_channels: int,
    num_classes: int,
    width: int,
    stages: Sequence[Sequence[BlockValues]],
    patch: int = 4,
) -> Blueprint:
    """Return the ConvNeXt of these sizes.

    Args:
        resolution: (height, width) of the image in pixels; ``patch`` divides both.
        in_channels: of the image.
        num_classes: width of the classifier.
        width: of the first stage; each stage doubles it.
        stages: kernel and expansion of each block of each stage.
        patch: side of the stem's patches in pixels.

    Raises:
        UsageError: where it is built or counted, if ``patch`` does not divide the resolution.
    """
    return Blueprint(
        family="convnext",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (Block.of("patch_norm_stem", stride=patch),)),
        stages=tuple(
            Stage(f"stage{index + 1}", width * 2**index, _blocks(index, blocks)) for index, blocks in enumerate(stages)
        ),
        head=Stage("head", num_classes, (Block.of("layer_norm_head", pooling="adaptive"),)),
    )


def _blocks(index: int, blocks: Sequence[BlockValues]) -> tuple[Block, ...]:
    return tuple(
        Block.of("convnext", stride=2 if index > 0 and number == 0 else 1, **values)
        for number, values in enumerate(blocks)
    )


class ConvNeXtSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "base", "small_image"] = "tiny"


@spaces.register("convnext")
class ConvNeXtSpace(StagedSpace):
    """ConvNeXt."""

    name = "convnext"
    forms = FORMS
    Settings = ConvNeXtSettings

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        size, classes = (resolution, resolution), self.settings.num_classes
        return convnext(size, self.settings.in_channels, classes, width, stages, self.form.patch)
