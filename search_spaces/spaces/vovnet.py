"""VoVNet: blocks, layers of a block and gate per stage, resolution, width.

Lee et al. 2019 (``form="vovnet"``) and VoVNetV2, Lee and Park 2020 (``"ese_vovnet"``: identity and effective
squeeze-and-excitation). ``"small_image"`` is for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.per_stage import PerStageForm, PerStageSettings, PerStageSpace, Sizes
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces


@dataclass(frozen=True)
class VoVNetDesign:
    """What a VoVNet is, but for its depths; tuples have one entry a stage.

    Attributes:
        stem_widths: channels of the first two convolutions, and of the third.
        stem_stride: of the three together.
        mid_widths, widths: channels of the 3x3 convolutions, and of the stage.
        strides: of the first block of a stage, by pooling.
        num_layers: 3x3 convolutions of a block.
        attentions: gate of each stage.
        attends_last: whether only the last block of a stage has it (as published), or each.
        residual: whether all but the first block of a stage add their input.
        separable: whether 3x3 convolutions are separable.
    """

    stem_widths: tuple[int, int] = (64, 128)
    stem_stride: int = 4
    mid_widths: tuple[int, ...] = (128, 160, 192, 224)
    widths: tuple[int, ...] = (256, 512, 768, 1024)
    strides: tuple[int, ...] = (1, 2, 2, 2)
    num_layers: tuple[int, ...] = (5, 5, 5, 5)
    attentions: tuple[str, ...] = ("none",) * 4
    attends_last: bool = True
    residual: bool = False
    separable: bool = False

    def stage(self, index: int, depth: int) -> Stage:
        """Return stage ``index`` (from 0) with ``depth`` blocks."""
        block = Block.of(
            "osa", mid_width=self.mid_widths[index], num_layers=self.num_layers[index], separable=self.separable
        )
        blocks = []
        for number in range(depth):
            attends = number == depth - 1 or not self.attends_last
            blocks.append(
                block.replace(
                    stride=self.strides[index] if number == 0 else 1,
                    residual=self.residual and number > 0,
                    attention=self.attentions[index] if attends else "none",
                )
            )
        return Stage(f"stage{index + 1}", self.widths[index], tuple(blocks))


def vovnet(
    design: VoVNetDesign,
    depths: Sequence[int],
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
) -> Blueprint:
    """Return the VoVNet of ``design`` with ``depths`` blocks a stage."""
    first_width, stem_width = design.stem_widths
    stem = Block.of("vovnet_stem", first_width=first_width, stride=design.stem_stride, separable=design.separable)
    return Blueprint(
        family="vovnet",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", stem_width, (stem,)),
        stages=tuple(design.stage(index, depth) for index, depth in enumerate(depths)),
        head=Stage("head", num_classes, (Block.of("pool_head"),)),
    )


VOVNET = VoVNetDesign()
ESE_VOVNET = VoVNetDesign(attentions=("ese",) * 4, residual=True)


Form = PerStageForm[VoVNetDesign]

RESOLUTIONS = (160, 192, 224, 256)
CATEGORICAL = frozenset({"attention"})
SMALL = VoVNetDesign(
    stem_widths=(8, 16), stem_stride=1, mid_widths=(8, 16, 16), widths=(24, 32, 48), strides=(2, 2, 1), residual=True
)


class VoVNetSettings(PerStageSettings):
    """Settings of the space."""

    form: Literal["vovnet", "ese_vovnet", "small_image"] = "ese_vovnet"


@spaces.register("vovnet")
class VoVNet(PerStageSpace[VoVNetDesign]):
    """VoVNet. Every block of a stage has the stage's gate, so that a shallower stage is a part of a deeper one."""

    name = "vovnet"
    Settings = VoVNetSettings
    forms: ClassVar[Mapping[str, Form]] = {
        "vovnet": Form(VOVNET, ((1, 2), (1, 2), (2, 3, 4), (2, 3)), {"num_layers": (3, 4, 5)}, RESOLUTIONS),
        "ese_vovnet": Form(
            ESE_VOVNET,
            ((1, 2), (1, 2, 3), (1, 2, 4, 9), (1, 2, 3)),
            {"num_layers": (3, 4, 5), "attention": ("none", "ese")},
            RESOLUTIONS,
            categorical=CATEGORICAL,
        ),
        "small_image": Form(
            SMALL,
            ((1, 2),) * 3,
            {"num_layers": (2, 3), "attention": ("none", "ese")},
            (8, 12, 16),
            categorical=CATEGORICAL,
        ),
    }

    def network(self, sizes: Sizes) -> Blueprint:
        """Return the network of the form's design, its widths multiplied and rounded."""

        def scaled(width: int) -> int:
            return make_divisible(width * sizes.multiplier)

        base = self.form.design
        design = replace(
            base,
            stem_widths=(scaled(base.stem_widths[0]), scaled(base.stem_widths[1])),
            stem_stride=self.stem_stride(base.stem_stride),
            mid_widths=tuple(map(scaled, base.mid_widths)),
            widths=tuple(map(scaled, base.widths)),
            num_layers=tuple(map(int, sizes.choices["num_layers"])),
            attentions=tuple(map(str, sizes.choices.get("attention", base.attentions))),
            attends_last=False,
        )
        return vovnet(design, sizes.depths, sizes.resolution, self.settings.num_classes, self.settings.in_channels)
