"""FBNet (Wu et al. 2019): the operator of each of 22 layers, from nine.

``form="imagenet"`` is the paper's network at 224 pixels; ``form="cifar"`` is HW-NAS-Bench's at 32 pixels (Li et al.
2021), on which its latency tables were measured; ``form="small_image"`` is a smaller one for images of 8 to 64 pixels.
Operators are named as in HW-NAS-Bench: kernel, expansion, groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError, unknown
from search_spaces.knobs import Knob
from search_spaces.rounding import make_divisible
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces

OPERATORS = {
    "k3_e1": {"kernel": 3, "expansion": 1, "groups": 1},
    "k3_e1_g2": {"kernel": 3, "expansion": 1, "groups": 2},
    "k3_e3": {"kernel": 3, "expansion": 3, "groups": 1},
    "k3_e6": {"kernel": 3, "expansion": 6, "groups": 1},
    "k5_e1": {"kernel": 5, "expansion": 1, "groups": 1},
    "k5_e1_g2": {"kernel": 5, "expansion": 1, "groups": 2},
    "k5_e3": {"kernel": 5, "expansion": 3, "groups": 1},
    "k5_e6": {"kernel": 5, "expansion": 6, "groups": 1},
}
CHOICES = (*OPERATORS, "skip")
"""The nine choices, in HW-NAS-Bench's numbering."""


@dataclass(frozen=True)
class Form:
    """The constants and choices of one form."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    strides: tuple[int, ...]
    stem_width: int
    stem_stride: int
    head_width: int
    resolutions: tuple[int, ...]
    width_multipliers: tuple[float, ...] = (1.0,)


WIDTHS, DEPTHS = (16, 24, 32, 64, 112, 184, 352), (1, 4, 4, 4, 4, 4, 1)
FORMS = {
    "imagenet": Form(WIDTHS, DEPTHS, (1, 2, 2, 2, 1, 2, 1), 16, 2, 1984, (224,)),
    "cifar": Form(WIDTHS, DEPTHS, (1, 1, 2, 2, 1, 2, 1), 16, 1, 1504, (32,)),
    "small_image": Form((8, 16, 24), (1, 2, 2), (1, 2, 2), 8, 1, 64, (8, 12, 16), (0.5, 1.0)),
}


def operator_block(choice: str, stride: int) -> Block:
    """Return the block of one of the nine choices; an unknown one is an error that lists close ones."""
    if choice == "skip":
        return Block.of("fbnet_skip", stride=stride)
    if choice not in OPERATORS:
        raise unknown("operator of fbnet", choice, CHOICES)
    return Block.of("fbnet_block", stride=stride, **OPERATORS[choice])


def fbnet(
    form: Form,
    choices: Sequence[str],
    *,
    resolution: tuple[int, int],
    num_classes: int,
    in_channels: int,
    width_multiplier: float = 1.0,
) -> Blueprint:
    """Return the network of ``choices``, one a layer, stage by stage.

    Raises:
        UsageError: another number of choices than layers, or one that is unknown.
    """

    def scaled(width: int) -> int:
        return make_divisible(width * width_multiplier)

    if len(choices) != sum(form.depths):
        raise UsageError(f"fbnet got {len(choices)} choices: give one for each of the {sum(form.depths)} layers")
    stages, first = [], 0
    for number, (width, depth, stride) in enumerate(zip(form.widths, form.depths, form.strides, strict=True), start=1):
        names = choices[first : first + depth]
        blocks = tuple(operator_block(name, 1 if index else stride) for index, name in enumerate(names))
        stages.append(Stage(f"stage{number}", scaled(width), blocks))
        first += depth
    return Blueprint(
        family="fbnet",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage(
            "stem",
            scaled(form.stem_width),
            (Block.of("conv_stem", kernel=3, stride=form.stem_stride, activation="relu"),),
        ),
        stages=tuple(stages),
        head=Stage("head", num_classes, (Block.of("pool_head", expand_width=form.head_width),)),
    )


class FbnetSettings(SpaceSettings):
    """Settings of the space; tuples that are left out come from the form."""

    form: Literal["imagenet", "cifar", "small_image"] = "imagenet"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    width_multipliers: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)


@spaces.register("fbnet")
class Fbnet(SearchSpace):
    """FBNet. Depth is searched by the choice ``skip``."""

    name = "fbnet"
    Settings = FbnetSettings
    settings: FbnetSettings

    @property
    def form(self) -> Form:
        """The constants in force."""
        return FORMS[self.settings.form]

    @property
    def layer_names(self) -> list[str]:
        """The searched layers in order, ``stage1.block1`` first."""
        depths = enumerate(self.form.depths, start=1)
        return [f"stage{stage}.block{block}" for stage, depth in depths for block in range(1, depth + 1)]

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, width, then the operator of each layer."""
        return [
            Knob("resolution", self.settings.resolutions or self.form.resolutions),
            Knob("width", self.settings.width_multipliers or self.form.width_multipliers),
            *(Knob(f"{name}.operator", CHOICES, ordered=False) for name in self.layer_names),
        ]

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: stem, the searched stages, 1x1 expansion, global pooling, classifier."""
        values = architecture.values
        side = int(values["resolution"])
        return fbnet(
            self.form,
            [str(values[f"{name}.operator"]) for name in self.layer_names],
            resolution=(side, side),
            num_classes=self.settings.num_classes,
            in_channels=self.settings.in_channels,
            width_multiplier=float(values["width"]),
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on."""
        everywhere = ("resolution", "width")
        found: dict[str, tuple[str, ...]] = {"stem": everywhere, "head": everywhere}
        return found | {name: (*everywhere, f"{name}.operator") for name in self.layer_names}
