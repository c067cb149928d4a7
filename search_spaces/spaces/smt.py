"""SMT (Lin et al. 2023): expansion of each block's MLP, depth per stage, width, resolution.

``form`` is ``tiny`` or ``base``, around SMT-T and -B, or ``small_image`` for images of 8 to 64 pixels. The stage before
the last takes modulation and attention in turn, the last attention alone, those before modulation alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.spaces import spaces
from search_spaces.staged import BlockValues, Choices, StagedForm, StagedSettings, StagedSpace

RESOLUTIONS = (160, 192, 224)


def _expansions(*values: int) -> tuple[Choices, ...]:
    return ({"expansion": values},)


FORMS = {
    "tiny": StagedForm(
        RESOLUTIONS,
        (48, 56, 64),
        ((1, 2), (1, 2), (4, 6, 8), (1,)),
        (_expansions(2, 3, 4), _expansions(2, 3, 4), _expansions(2, 3, 4), _expansions(1, 2)),
        patch=4,
        width_step=4,
    ),
    "base": StagedForm(
        RESOLUTIONS,
        (48, 56, 64),
        ((3, 4), (4, 5, 6), (18, 23, 28), (1, 2)),
        (_expansions(4, 6, 8), _expansions(4, 5, 6), _expansions(2, 3, 4), _expansions(1, 2)),
        patch=4,
        width_step=4,
    ),
    "small_image": StagedForm(
        (8, 12, 16), (8, 12, 16), ((1, 2), (1, 2), (1, 2)), (_expansions(1, 2, 4),) * 3, patch=2, width_step=4
    ),
}

# Heads of the last stage but one and of the last.
HEADS = (8, 16)
SMALL_IMAGE_HEADS = (2, 4)
STEM_KERNELS = {"tiny": 3, "base": 7, "small_image": 3}


def smt(
    resolution: tuple[int, int],
    in_channels: int,
    num_classes: int,
    width: int,
    stages: Sequence[Sequence[BlockValues]],
    stem_kernel: int = 3,
    stem_stride: int = 4,
    heads: tuple[int, int] = HEADS,
) -> Blueprint:
    """Return the SMT of these sizes.

    Args:
        resolution: (height, width) of the image in pixels; the stem's stride divides both.
        in_channels: of the image.
        num_classes: width of the classifier.
        width: of the first stage, a multiple of 4; each stage doubles it.
        stages: expansion of each block of each stage.
        stem_kernel: 3 or 7 in the published networks.
        stem_stride: 2 or 4.
        heads: of the last stage but one, and of the last.

    Raises:
        UsageError: where it is built or counted, if a stride does not divide the resolution, 4 or the heads a width.
    """
    stem = Block.of("smt_stem", kernel=stem_kernel, stride=stem_stride)
    attending = len(stages) - len(heads)
    return Blueprint(
        family="smt",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (stem,)),
        stages=tuple(
            Stage(
                f"stage{index + 1}",
                width * 2**index,
                _blocks(index, blocks, heads[index - attending] if index >= attending else 0, len(stages) - 1),
            )
            for index, blocks in enumerate(stages)
        ),
        head=Stage("head", num_classes, (Block.of("layer_norm_head", pooling="mean", norm_first=True),)),
    )


def _blocks(index: int, blocks: Sequence[BlockValues], heads: int, last: int) -> tuple[Block, ...]:
    found = []
    for number, values in enumerate(blocks):
        stride = 2 if index > 0 and number == 0 else 1
        if heads and (index == last or number % 2):
            found.append(Block.of("smt_attention", heads=heads, stride=stride, **values))
        else:
            found.append(Block.of("smt_modulation", stride=stride, **values))
    return tuple(found)


class SmtSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "base", "small_image"] = "tiny"


@spaces.register("smt")
class SmtSpace(StagedSpace):
    """SMT."""

    name = "smt"
    forms = FORMS
    Settings = SmtSettings

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        form = self.settings.form
        return smt(
            (resolution, resolution),
            self.settings.in_channels,
            self.settings.num_classes,
            width,
            stages,
            STEM_KERNELS[form],
            self.form.patch,
            SMALL_IMAGE_HEADS if form == "small_image" else HEADS,
        )
