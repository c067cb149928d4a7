"""HorNet (Rao et al. 2022): kernel and expansion of each block, depth per stage, width, resolution.

``form`` is ``tiny`` or ``base``, around HorNet-T and -B, or ``small_image`` for images of 8 to 64 pixels. In the forms
that end in ``_gf`` the third and fourth stage filter frequencies instead of convolving, and have no kernel to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.spaces import spaces
from search_spaces.staged import BlockValues, Choices, StagedForm, StagedSettings, StagedSpace

ORDERS = (2, 3, 4, 5)
RESOLUTIONS = (160, 192, 224)
DEPTHS = ((1, 2), (2, 3), (12, 15, 18), (1, 2))
FILTERED: Choices = {"expansion": (2, 3, 4)}
CHOICES: Choices = {"kernel": (3, 5, 7), **FILTERED}
GF_CHOICES = ((CHOICES,), (CHOICES,), (FILTERED,), (FILTERED,))

FORMS = {
    "tiny": StagedForm(RESOLUTIONS, (48, 56, 64), DEPTHS, ((CHOICES,),) * 4, patch=4, width_step=4),
    "tiny_gf": StagedForm(RESOLUTIONS, (48, 56, 64), DEPTHS, GF_CHOICES, patch=4, width_step=4),
    "base": StagedForm(RESOLUTIONS, (96, 112, 128), DEPTHS, ((CHOICES,),) * 4, patch=4, width_step=4),
    "base_gf": StagedForm(RESOLUTIONS, (96, 112, 128), DEPTHS, GF_CHOICES, patch=4, width_step=4),
    "small_image": StagedForm((8, 12, 16), (8, 12, 16), ((1, 2),) * 3, ((CHOICES,),) * 3, patch=2, width_step=4),
    "small_image_gf": StagedForm((8, 12, 16), (8, 12, 16), ((1, 2),) * 3, GF_CHOICES[:3], patch=2, width_step=4),
}


def hornet(
    resolution: tuple[int, int],
    in_channels: int,
    num_classes: int,
    width: int,
    stages: Sequence[Sequence[BlockValues]],
    patch: int = 4,
) -> Blueprint:
    """Return the HorNet of these sizes.

    Args:
        resolution: (height, width) of the image in pixels; ``patch`` divides both.
        in_channels: of the image.
        num_classes: width of the classifier.
        width: of the first stage, a multiple of 4; each stage doubles it and has one more order, from 2.
        stages: kernel and expansion of each block of each stage; a block without a kernel filters frequencies.
        patch: side of the stem's patches in pixels.

    Raises:
        UsageError: where it is built or counted, if ``patch`` does not divide the resolution or 4 the width.
    """
    return Blueprint(
        family="hornet",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (Block.of("patch_norm_stem", stride=patch, decomposed_norm=True),)),
        stages=tuple(
            Stage(f"stage{index + 1}", width * 2**index, _blocks(index, blocks)) for index, blocks in enumerate(stages)
        ),
        head=Stage("head", num_classes, (Block.of("layer_norm_head", pooling="mean"),)),
    )


def _blocks(index: int, blocks: Sequence[BlockValues]) -> tuple[Block, ...]:
    return tuple(
        Block.of(
            "hornet",
            order=ORDERS[index],
            stride=2 if index > 0 and number == 0 else 1,
            global_filter="kernel" not in values,
            **values,
        )
        for number, values in enumerate(blocks)
    )


class HorNetSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "tiny_gf", "base", "base_gf", "small_image", "small_image_gf"] = "tiny"


@spaces.register("hornet")
class HorNetSpace(StagedSpace):
    """HorNet."""

    name = "hornet"
    forms = FORMS
    Settings = HorNetSettings

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        size, classes = (resolution, resolution), self.settings.num_classes
        return hornet(size, self.settings.in_channels, classes, width, stages, self.form.patch)
