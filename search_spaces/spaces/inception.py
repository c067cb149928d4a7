"""Inception-ResNet-v2 and Inception-v4 (Szegedy et al. 2017): depth of each stage, inner width of its blocks.

``form="resnet_v2"`` and ``form="v4"`` are the published networks at 299 pixels. They are unpadded, so that not every
side fits; multiples of 32 do. ``form="small_image"`` is a padded Inception-ResNet for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.knobs import Knob
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces

RESIDUALS = (("mixed_5b", "block35", 0.17), ("mixed_6a", "block17", 0.10), ("mixed_7a", "block8", 0.20))
V4_BLOCKS = ((None, "inception_a"), ("reduction_a", "inception_b"), ("reduction_b", "inception_c"))

BORDERS = {"stem": 0, "stage1": 3, "stage2": 2, "stage3": 2, "head": 2}


@dataclass(frozen=True)
class Shape:
    """The sizes of an inception network.

    Attributes:
        stem: the block of the stem.
        widths: of the stem and of the three stages.
        depths: residual (v4: mixed) blocks of each stage.
        inner_widths: of the residual blocks of each stage, the width of their first branch.
        hidden_ratios: of the mixed blocks of each stage, the widths inside their branches over the published ones.
        padded: whether every operation is padded.
        expand_width: of the head's 1x1 convolution; 0 leaves it out.
    """

    stem: Block
    widths: tuple[int, int, int, int]
    depths: tuple[int, ...]
    inner_widths: tuple[int, ...] = (0, 0, 0)
    padded: bool = False
    expand_width: int = 0
    hidden_ratios: tuple[float, ...] = (1.0, 1.0, 1.0)


def _mixed(variant: str, stride: int, border: int, hidden_ratio: float) -> Block:
    block = Block.of("inception_mixed", variant=variant, stride=stride, border=border)
    return block if hidden_ratio == 1 else block.replace(hidden_ratio=hidden_ratio)


def inception_resnet(shape: Shape, *, resolution: tuple[int, int], num_classes: int, in_channels: int) -> Blueprint:
    """Return an Inception-ResNet: each stage a mixed block and its residual blocks; stage 4 is the one without ReLU."""
    stages = []
    for index, (mixed, residual, scale) in enumerate(RESIDUALS):
        name = f"stage{index + 1}"
        entry = BORDERS[name], BORDERS[f"stage{index}"] if index else BORDERS[name]
        own, before = (0, 0) if shape.padded else entry
        first = _mixed(mixed, 2 if index else 1, before, shape.hidden_ratios[index])
        settings: dict[str, str | int] = {"variant": residual, "inner_width": shape.inner_widths[index], "border": own}
        block = Block.of("inception_residual", scale=scale, **settings)
        stages.append(Stage(name, shape.widths[index + 1], (first, *shape.depths[index] * (block,))))
        if index == len(RESIDUALS) - 1:
            last = Block.of("inception_residual", scale=1.0, relu=False, **settings)
            stages.append(Stage("stage4", shape.widths[index + 1], (last,)))
    return _network(shape, tuple(stages), resolution, num_classes, in_channels)


def inception_v4(shape: Shape, *, resolution: tuple[int, int], num_classes: int, in_channels: int) -> Blueprint:
    """Return an Inception-v4: stages of mixed blocks, with a reduction before the second and the third."""
    stages = []
    for index, (reduction, mixed) in enumerate(V4_BLOCKS):
        name, before = f"stage{index + 1}", BORDERS[f"stage{index}"] if index else 0
        ratio = shape.hidden_ratios[index]
        block = _mixed(mixed, 1, BORDERS[name], ratio)
        first = (_mixed(reduction, 2, before, ratio),) if reduction else ()
        stages.append(Stage(name, shape.widths[index + 1], (*first, *shape.depths[index] * (block,))))
    return _network(shape, tuple(stages), resolution, num_classes, in_channels)


def _network(
    shape: Shape, stages: tuple[Stage, ...], resolution: tuple[int, int], num_classes: int, in_channels: int
) -> Blueprint:
    border = 0 if shape.padded else BORDERS["head"]
    return Blueprint(
        family="inception",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", shape.widths[0], (shape.stem,)),
        stages=stages,
        head=Stage("head", num_classes, (Block.of("inception_head", expand_width=shape.expand_width, border=border),)),
    )


@dataclass(frozen=True)
class Form:
    """The largest network of one form and its choices."""

    shape: Shape
    depths: tuple[tuple[int, ...], ...]
    inner_multipliers: tuple[float, ...]
    resolutions: tuple[int, ...]


def published_stem(version: str) -> Block:
    """Return the stem of ``resnet_v2`` or ``v4``."""
    return Block.of("inception_stem", version=version, stride=8, padded=False)


RESNET_V2 = Shape(published_stem("resnet_v2"), (192, 320, 1088, 2080), (10, 20, 9), (32, 192, 192), expand_width=1536)
V4 = Shape(published_stem("v4"), (384, 384, 1024, 1536), (4, 7, 3))
SMALL = Shape(
    Block.of("conv_stem", kernel=3, stride=1, activation="relu"), (8, 16, 32, 48), (2, 2, 2), (8, 8, 8), True, 48
)
FORMS = {
    "resnet_v2": Form(RESNET_V2, ((6, 8, 10), (12, 16, 20), (5, 7, 9)), (0.5, 0.75, 1.0), (203, 235, 267, 299)),
    "v4": Form(V4, ((2, 3, 4), (5, 6, 7), (1, 2, 3)), (0.5, 0.75, 1.0), (203, 235, 267, 299)),
    "small_image": Form(SMALL, ((1, 2), (1, 2), (1, 2)), (0.5, 1.0), (8, 12)),
}


class InceptionSettings(SpaceSettings):
    """Settings of the space; tuples that are left out come from the form."""

    form: Literal["resnet_v2", "v4", "small_image"] = "resnet_v2"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    inner_multipliers: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)


@spaces.register("inception")
class Inception(SearchSpace):
    """Inception-ResNet, or Inception-v4.

    The inner width of a stage is that of its residual blocks and of what its mixed blocks have before they concatenate:
    the concatenations are the stages' widths, which stay.
    """

    name = "inception"
    Settings = InceptionSettings
    settings: InceptionSettings

    def __init__(self, settings: InceptionSettings) -> None:
        self.form = FORMS[settings.form]
        self.inner_multipliers = settings.inner_multipliers or self.form.inner_multipliers
        super().__init__(settings)
        self.blueprint(self.largest())

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, then each stage's depth and inner width."""
        knobs = [Knob("resolution", self.settings.resolutions or self.form.resolutions)]
        for number, depths in enumerate(self.form.depths, start=1):
            knobs.append(Knob(f"stage{number}.depth", depths))
            knobs.append(Knob(f"stage{number}.inner_width", self.inner_multipliers))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: stem, three stages, pooled head."""
        values, largest = architecture.values, self.form.shape
        numbers = (1, 2, 3)
        multipliers = tuple(float(values[f"stage{number}.inner_width"]) for number in numbers)
        shape = Shape(
            largest.stem,
            largest.widths,
            tuple(int(values[f"stage{number}.depth"]) for number in numbers),
            tuple(round(width * by) for width, by in zip(largest.inner_widths, multipliers, strict=True)),
            largest.padded,
            largest.expand_width,
            multipliers,
        )
        side = int(values["resolution"])
        make = inception_v4 if self.settings.form == "v4" else inception_resnet
        return make(
            shape,
            resolution=(side, side),
            num_classes=self.settings.num_classes,
            in_channels=self.settings.in_channels,
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on."""
        found: dict[str, tuple[str, ...]] = dict.fromkeys(("stem", "head"), ("resolution",))
        residual = self.settings.form != "v4"
        for number, depths in enumerate(self.form.depths, start=1):
            firsts = 1 if residual or number > 1 else 0
            if firsts:
                found[f"stage{number}.block1"] = ("resolution", f"stage{number}.inner_width")
            for block in range(1, depths[-1] + 1):
                names = (f"stage{number}.depth", f"stage{number}.inner_width")
                found[f"stage{number}.block{firsts + block}"] = ("resolution", *names)
        if residual:
            found["stage4.block1"] = ("resolution", "stage3.inner_width")
        return found
