"""ResNet and what came of it: depth and bottleneck ratio per stage, resolution, width.

He et al. 2016 (``resnet``, ``resnet_basic``), ResNet-D (He et al. 2019), ResNeXt (Xie et al. 2017), ECA-ResNet (Wang et
al. 2020), ResNet-RS (Bello et al. 2021). ``form="small_image"`` is for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm
from typing import ClassVar, Literal

from search_spaces.blueprint import Block, Blueprint, Setting, Stage
from search_spaces.per_stage import PerStageForm, PerStageSettings, PerStageSpace, Sizes
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces

RESNET_STEM = Block.of("pool_stem", kernel=7, stride=4, scales=False)
DEEP_STEM = Block.of("pool_stem", kernel=3, stride=4, deep=True, scales=False)
RESNETRS_STEM = Block.of("pool_stem", kernel=3, stride=4, deep=True, pooling="conv", scales=False)


@dataclass(frozen=True)
class ResidualDesign:
    """What a residual network is, but for its depths.

    Attributes:
        family: the space that it belongs to.
        stem: its block; the width stays when the network is scaled.
        stem_width: channels.
        block: kind of every other block.
        widths, strides, bottlenecks: one a stage.
        group_widths: one a stage, or none where convolutions are dense. A group as wide as the inner width is dense
            too, but stays as wide when a scaling rule leaves group widths alone: how pycls holds ResNet.
        shortcut, attention: as ``resnet_bottleneck`` takes them.
    """

    family: str = "resnet"
    stem: Block = RESNET_STEM
    stem_width: int = 64
    block: str = "resnet_bottleneck"
    widths: tuple[int, ...] = (256, 512, 1024, 2048)
    strides: tuple[int, ...] = (1, 2, 2, 2)
    bottlenecks: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    group_widths: tuple[int, ...] = ()
    shortcut: str = "conv"
    attention: str = "none"

    def stage_block(self, index: int) -> Block:
        """Return the block of stage ``index`` (from 0), without its stride."""
        settings: dict[str, Setting] = {"bottleneck": self.bottlenecks[index]}
        if self.group_widths:
            settings["group_width"] = self.group_widths[index]
        if self.shortcut != "conv":
            settings["shortcut"] = self.shortcut
        if self.attention != "none":
            settings["attention"] = self.attention
        return Block.of(self.block, **settings)


def residual_network(
    design: ResidualDesign,
    depths: Sequence[int],
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
) -> Blueprint:
    """Return the network of ``design`` with ``depths`` blocks a stage; the first of each has the stage's stride."""
    stages = []
    for index, depth in enumerate(depths):
        block = design.stage_block(index)
        blocks = (block.replace(stride=design.strides[index]), *(block,) * (depth - 1))
        stages.append(Stage(f"stage{index + 1}", design.widths[index], blocks))
    return Blueprint(
        family=design.family,
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", design.stem_width, (design.stem,)),
        stages=tuple(stages),
        head=Stage("head", num_classes, (Block.of("pool_head"),)),
    )


BASIC = ResidualDesign(block="resnet_basic", widths=(64, 128, 256, 512), bottlenecks=(1.0,) * 4)
BOTTLENECK = ResidualDesign()
RESNEXT = ResidualDesign(bottlenecks=(0.5,) * 4, group_widths=(4, 8, 16, 32))
BASIC_D = replace(BASIC, stem=DEEP_STEM, shortcut="pool")
RESNET_D = ResidualDesign(stem=DEEP_STEM, shortcut="pool")
ECA_RESNET_D = replace(RESNET_D, attention="eca")
RESNETRS = ResidualDesign(stem=RESNETRS_STEM, shortcut="pool", attention="se")


Form = PerStageForm[ResidualDesign]

DEPTHS = ((2, 3), (2, 4, 8), (2, 6, 23, 36), (2, 3))
RS_DEPTHS = ((3, 4), (4, 8, 24), (6, 23, 36), (3, 4))
RS_RESOLUTIONS = (160, 192, 224, 256, 320)
QUARTER = {"bottleneck": (0.125, 0.25)}
HALF = {"bottleneck": (0.25, 0.5)}
SMALL = ResidualDesign(
    stem=Block.of("pool_stem", kernel=3, stride=1, scales=False),
    stem_width=16,
    widths=(32, 48, 64),
    strides=(2, 2, 1),
)


class ResNetSettings(PerStageSettings):
    """Settings of the space."""

    form: Literal["resnet", "resnet_basic", "resnet_d", "resnext", "ecaresnet_d", "resnetrs", "small_image"] = "resnet"


@spaces.register("resnet")
class ResNet(PerStageSpace[ResidualDesign]):
    """ResNet: the first blocks of a stage stay when it becomes shallower.

    The stem keeps its width, unless the first stage adds to its output (``resnet_basic``).
    """

    name = "resnet"
    Settings = ResNetSettings
    forms: ClassVar[Mapping[str, Form]] = {
        "resnet": Form(BOTTLENECK, DEPTHS, QUARTER),
        "resnet_basic": Form(BASIC, ((2, 3), (2, 3, 4), (2, 4, 6), (2, 3)), {"bottleneck": (0.5, 1.0)}),
        "resnet_d": Form(RESNET_D, DEPTHS, QUARTER),
        "resnext": Form(RESNEXT, DEPTHS, HALF),
        "ecaresnet_d": Form(ECA_RESNET_D, DEPTHS, QUARTER),
        "resnetrs": Form(RESNETRS, RS_DEPTHS, QUARTER, RS_RESOLUTIONS),
        "small_image": Form(SMALL, ((1, 2, 3),) * 3, HALF, (8, 12, 16)),
    }

    def network(self, sizes: Sizes) -> Blueprint:
        """Return the network of the form's design, its widths multiplied and rounded."""
        base = self.form.design
        widths = tuple(
            make_divisible(width * sizes.multiplier, self._width_step(index)) for index, width in enumerate(base.widths)
        )
        design = replace(
            base,
            stem=base.stem.replace(stride=self.stem_stride(int(base.stem.get("stride", 1)))),
            stem_width=widths[0] if base.stem_width == base.widths[0] else base.stem_width,
            widths=widths,
            bottlenecks=tuple(map(float, sizes.choices["bottleneck"])),
        )
        return residual_network(
            design, sizes.depths, sizes.resolution, self.settings.num_classes, self.settings.in_channels
        )

    def _width_step(self, index: int) -> int:
        """Return the multiple that widths of stage ``index`` round to, so that every bottleneck has whole groups."""
        group_widths = self.form.design.group_widths
        group_width = group_widths[index] if group_widths else 1
        return lcm(8, *(round(group_width / float(ratio)) for ratio in self.form.choices["bottleneck"]))
