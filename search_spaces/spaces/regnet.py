"""RegNetX and RegNetY: widths from a quantised line; depth and group width per stage, resolution, width.

Radosavovic et al. 2020. ``form="x"`` and ``"y"`` stand around the 1.6 GF networks, ``"small_image"`` is for images of 8
to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import lcm, log
from typing import ClassVar, Literal

from search_spaces.blueprint import Block, Blueprint
from search_spaces.errors import UsageError
from search_spaces.per_stage import PerStageForm, PerStageSettings, PerStageSpace, Sizes
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces
from search_spaces.spaces.resnet import ResidualDesign, residual_network

STEM = Block.of("pool_stem", kernel=3, stride=2, scales=False)
STEM_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Line:
    """The parameters of one RegNet (Radosavovic et al. 2020, section 3.3).

    Attributes:
        depth: blocks in all.
        initial_width, slope, multiplier: w_0 > 0, w_a >= 0 and w_m > 1 of the quantised line.
        group_width: channels of one group.
    """

    depth: int
    initial_width: int
    slope: float
    multiplier: float
    group_width: int

    def __post_init__(self) -> None:
        allowed = {"depth": self.depth >= 1, "initial_width": self.initial_width >= 1, "slope": self.slope >= 0}
        allowed |= {"multiplier": self.multiplier > 1, "group_width": self.group_width >= 1}
        for name, holds in allowed.items():
            if not holds:
                bound = {"slope": "0 or more", "multiplier": "more than 1"}.get(name, "1 or more")
                raise UsageError(f"RegNet's {name} got {getattr(self, name):g}: give {bound}")

    def stages(self) -> list[tuple[int, int, int]]:
        """Return (depth, width, group width) of each stage.

        Block j of the line has width u_j = w_0 + w_a j (equation 2); k_j = log(u_j / w_0) / log(w_m), rounded (equation
        3), gives w_0 w_m^k_j (equation 4), rounded to a multiple of 8. Blocks of one width are a stage; its width is
        then rounded to whole groups.
        """
        exponents = (
            round(log((self.initial_width + self.slope * j) / self.initial_width) / log(self.multiplier))
            for j in range(self.depth)
        )
        widths = [round(self.initial_width * self.multiplier**exponent / 8) * 8 for exponent in exponents]
        found = []
        for width, blocks in groupby(widths):
            group_width = min(self.group_width, width)
            found.append((len(list(blocks)), max(1, round(width / group_width)) * group_width, group_width))
        return found


def regnet_design(widths: Sequence[int], group_widths: Sequence[int], squeeze_excite: bool) -> ResidualDesign:
    """Return the design of a RegNetX, or with ``squeeze_excite`` of a RegNetY; every stage strides by 2."""
    return ResidualDesign(
        family="regnet",
        stem=STEM,
        stem_width=STEM_WIDTH,
        widths=tuple(widths),
        strides=(2,) * len(widths),
        bottlenecks=(1.0,) * len(widths),
        group_widths=tuple(group_widths),
        attention="se_inner" if squeeze_excite else "none",
    )


def regnet_network(
    line: Line, squeeze_excite: bool, resolution: tuple[int, int], num_classes: int = 1000, in_channels: int = 3
) -> Blueprint:
    """Return the RegNet of ``line``."""
    depths, widths, group_widths = zip(*line.stages(), strict=True)
    design = regnet_design(widths, group_widths, squeeze_excite)
    return residual_network(design, depths, resolution, num_classes, in_channels)


Form = PerStageForm[ResidualDesign]

CATEGORICAL = frozenset({"group_width"})
SMALL = replace(
    regnet_design((16, 32, 64), (8, 8, 8), squeeze_excite=True),
    stem=Block.of("pool_stem", kernel=3, stride=1, scales=False),
    stem_width=16,
    strides=(2, 2, 1),
)


class RegNetSettings(PerStageSettings):
    """Settings of the space."""

    form: Literal["x", "y", "small_image"] = "y"


@spaces.register("regnet")
class RegNet(PerStageSpace[ResidualDesign]):
    """RegNet. Widths are multiples of every group width, so that they do not depend on the choice of it."""

    name = "regnet"
    Settings = RegNetSettings
    forms: ClassVar[Mapping[str, Form]] = {
        "x": Form(
            regnet_design((72, 168, 408, 912), (24,) * 4, squeeze_excite=False),
            ((1, 2, 3), (3, 4, 5), (8, 9, 10, 11, 12), (1, 2, 3)),
            {"group_width": (8, 12, 24)},
            categorical=CATEGORICAL,
        ),
        "y": Form(
            regnet_design((48, 120, 336, 888), (24,) * 4, squeeze_excite=True),
            ((1, 2, 3), (4, 5, 6, 7), (13, 15, 17, 19), (1, 2, 3)),
            {"group_width": (8, 12, 24)},
            categorical=CATEGORICAL,
        ),
        "small_image": Form(
            SMALL, ((1, 2, 3),) * 3, {"group_width": (4, 8)}, resolutions=(8, 12, 16), categorical=CATEGORICAL
        ),
    }

    def network(self, sizes: Sizes) -> Blueprint:
        """Return the network of the form's design, its widths multiplied and rounded to whole groups."""
        base = self.form.design
        step = lcm(8, *map(int, self.form.choices["group_width"]))
        design = replace(
            base,
            stem=base.stem.replace(stride=self.stem_stride(int(base.stem.get("stride", 1)))),
            widths=tuple(make_divisible(width * sizes.multiplier, step) for width in base.widths),
            group_widths=tuple(map(int, sizes.choices["group_width"])),
        )
        return residual_network(
            design, sizes.depths, sizes.resolution, self.settings.num_classes, self.settings.in_channels
        )
