"""Once-for-All ResNet50-D (Cai et al. 2020): width of stem and stages, depth, and inner width of each bottleneck.

``form="imagenet"`` is the published space (ofa_resnet50_d0-1-2_e0.2-0.25-0.35_w0.65-0.8-1.0); ``form="small_image"`` is
for images of 8 to 64 pixels. The inner width is make_divisible(round(width x expansion)); stages end by dropping
blocks; shortcuts average before they project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.knobs import Knob
from search_spaces.rounding import make_divisible
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces

SMALLEST_STRIDED_STEM = 40


@dataclass(frozen=True)
class Form:
    """The constants and choices of one form; ``widths`` and ``depths`` are of each stage, ascending."""

    stem_inner_widths: tuple[int, ...]
    stem_widths: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]
    depths: tuple[tuple[int, ...], ...]
    strides: tuple[int, ...]
    expansions: tuple[float, ...]
    resolutions: tuple[int, ...]
    stem_stride: int | None


def _widths(base: int) -> tuple[int, ...]:
    return tuple(make_divisible(base * multiplier) for multiplier in (0.65, 0.8, 1.0))


FORMS = {
    "imagenet": Form(
        # Half of the stem's width, rounded: the multipliers 0.65 and 0.8 give the same.
        stem_inner_widths=(24, 32),
        stem_widths=_widths(64),
        widths=tuple(map(_widths, (256, 512, 1024, 2048))),
        depths=((2, 3, 4), (2, 3, 4), (4, 5, 6), (2, 3, 4)),
        strides=(1, 2, 2, 2),
        expansions=(0.2, 0.25, 0.35),
        resolutions=(128, 144, 160, 176, 192, 224, 240, 256),
        stem_stride=4,
    ),
    "small_image": Form(
        stem_inner_widths=(4, 8),
        stem_widths=(8, 16),
        widths=((16, 24), (24, 32), (32, 48)),
        depths=((1, 2), (1, 2, 3), (1, 2)),
        strides=(2, 2, 1),
        expansions=(0.25, 0.35, 0.5),
        resolutions=(8, 12, 16),
        stem_stride=None,
    ),
}


def ofa_resnet(
    resolution: tuple[int, int],
    num_classes: int,
    in_channels: int,
    stem: Block,
    widths: Sequence[int],
    expansions: Sequence[Sequence[float]],
    strides: Sequence[int],
) -> Blueprint:
    """Return the network whose stem has the first of ``widths``, and whose stages hold blocks of these expansions."""
    stages = []
    for index, (width, stride, each) in enumerate(zip(widths[1:], strides, expansions, strict=True)):
        blocks = tuple(
            Block.of(
                "resnet_bottleneck",
                bottleneck=make_divisible(round(width * expansion)) / width,
                shortcut="pool",
                stride=stride if number == 0 else 1,
            )
            for number, expansion in enumerate(each)
        )
        stages.append(Stage(f"stage{index + 1}", width, blocks))
    return Blueprint(
        family="ofa_resnet",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", widths[0], (stem,)),
        stages=tuple(stages),
        head=Stage("head", num_classes, (Block.of("pool_head"),)),
    )


class OfaResNetSettings(SpaceSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["imagenet", "small_image"] = "imagenet"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)


@spaces.register("ofa_resnet")
class OfaResNet(SearchSpace):
    """Once-for-All ResNet50-D. ``stem.middle`` is the on/off knob of the stem's residual convolution."""

    name = "ofa_resnet"
    Settings = OfaResNetSettings
    settings: OfaResNetSettings

    @property
    def form(self) -> Form:
        """The constants in force."""
        return FORMS[self.settings.form]

    @property
    def stem_stride(self) -> int:
        """The form's, or for small images 2, and 1 where that would leave too few pixels."""
        large = max(self.settings.resolutions or self.form.resolutions) >= SMALLEST_STRIDED_STEM
        return self.form.stem_stride or (2 if large else 1)

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, the stem's knobs, then each stage's width and depth and each block's expansion."""
        form = self.form
        knobs = [
            Knob("resolution", self.settings.resolutions or form.resolutions),
            Knob("stem.inner_width", form.stem_inner_widths),
            Knob("stem.width", form.stem_widths),
            Knob("stem.middle", (0, 1)),
        ]
        for number, (widths, depths) in enumerate(zip(form.widths, form.depths, strict=True), start=1):
            depth = f"stage{number}.depth"
            knobs += [Knob(f"stage{number}.width", widths), Knob(depth, depths)]
            for block in range(1, depths[-1] + 1):
                present = tuple(value for value in depths if value >= block)
                knobs.append(Knob(f"stage{number}.block{block}.expansion", form.expansions, True, depth, present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: deep stem, stages of bottlenecks, pooled classifier."""
        values = architecture.values
        side = int(values["resolution"])
        stages = [f"stage{number}" for number in range(1, 1 + len(self.form.widths))]
        stem = Block.of(
            "residual_stem",
            inner_width=int(values["stem.inner_width"]),
            stride=self.stem_stride,
            middle=bool(values["stem.middle"]),
        )
        return ofa_resnet(
            (side, side),
            self.settings.num_classes,
            self.settings.in_channels,
            stem,
            [int(values[f"{stage}.width"]) for stage in ("stem", *stages)],
            [
                [float(values[f"{stage}.block{n}.expansion"]) for n in range(1, int(values[f"{stage}.depth"]) + 1)]
                for stage in stages
            ],
            self.form.strides,
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: resolution, its widths, its expansion."""
        found: dict[str, tuple[str, ...]] = {"stem": ("resolution", "stem.inner_width", "stem.width", "stem.middle")}
        before = "stem.width"
        for number, depths in enumerate(self.form.depths, start=1):
            width = f"stage{number}.width"
            for block in range(1, depths[-1] + 1):
                name = f"stage{number}.block{block}"
                widths = (before, width) if block == 1 else (width,)
                found[name] = ("resolution", *widths, f"{name}.expansion")
            before = width
        found["head"] = ("resolution", before)
        return found
