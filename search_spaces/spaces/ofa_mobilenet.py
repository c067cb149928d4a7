"""Once-for-All MobileNetV3 (Cai et al. 2020): kernel, expansion and depth per stage, resolution, width.

``form="imagenet"`` is the published space (25 resolutions, width 1.0); ``form="small_image"`` is the same network for
images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.knobs import Knob
from search_spaces.rounding import make_divisible
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces


@dataclass(frozen=True)
class Form:
    """The constants of one form; per-stage tuples are of the searched stages, ``stage2`` first."""

    stem_width: int
    first_width: int
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    squeeze_excite: tuple[bool, ...]
    activations: tuple[str, ...]
    head_widths: tuple[int, int]
    depths: tuple[int, ...]
    kernels: tuple[int, ...]
    expansions: tuple[int, ...]
    resolutions: tuple[int, ...]
    width_multipliers: tuple[float, ...]


FORMS = {
    "imagenet": Form(
        stem_width=16,
        first_width=16,
        widths=(24, 40, 80, 112, 160),
        strides=(2, 2, 2, 1, 2),
        squeeze_excite=(False, True, False, True, True),
        activations=("relu", "relu", "hard_swish", "hard_swish", "hard_swish"),
        head_widths=(960, 1280),
        depths=(2, 3, 4),
        kernels=(3, 5, 7),
        expansions=(3, 4, 6),
        resolutions=tuple(range(128, 225, 4)),
        width_multipliers=(1.0,),
    ),
    "small_image": Form(
        stem_width=16,
        first_width=16,
        widths=(24, 40, 64),
        strides=(2, 2, 1),
        squeeze_excite=(False, True, True),
        activations=("relu", "hard_swish", "hard_swish"),
        head_widths=(192, 256),
        depths=(1, 2, 3),
        kernels=(3, 5),
        expansions=(2, 3, 4),
        resolutions=(8, 12, 16),
        width_multipliers=(0.25, 0.5, 0.75, 1.0),
    ),
}

SMALLEST_STRIDED_STEM = 40


class OfaMobileNetSettings(SpaceSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["imagenet", "small_image"] = "imagenet"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    width_multipliers: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)
    kernel_transform: bool = False
    """Whether smaller kernels are learned maps of larger ones, as in the paper; else their centres."""


@spaces.register("ofa_mobilenet")
class OfaMobileNet(SearchSpace):
    """Once-for-All MobileNetV3. ``stage1`` is the fixed first block; the searched stages follow."""

    name = "ofa_mobilenet"
    Settings = OfaMobileNetSettings
    settings: OfaMobileNetSettings

    @property
    def form(self) -> Form:
        """The constants in force."""
        return FORMS[self.settings.form]

    @property
    def stem_stride(self) -> int:
        """2, or 1 for images that a strided stem would leave too few pixels."""
        return 2 if max(self.settings.resolutions or self.form.resolutions) >= SMALLEST_STRIDED_STEM else 1

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, width, then each stage's depth and each block's kernel and expansion."""
        form = self.form
        knobs = [
            Knob("resolution", self.settings.resolutions or form.resolutions),
            Knob("width", self.settings.width_multipliers or form.width_multipliers),
        ]
        for number in range(2, 2 + len(form.widths)):
            depth = f"stage{number}.depth"
            knobs.append(Knob(depth, form.depths))
            for block in range(1, form.depths[-1] + 1):
                present = tuple(value for value in form.depths if value >= block)
                for name, values in (("kernel", form.kernels), ("expansion", form.expansions)):
                    knobs.append(Knob(f"stage{number}.block{block}.{name}", values, True, depth, present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: stem, stage1 (one block, expansion 1), the searched stages, MobileNetV3's head."""
        form, values = self.form, architecture.values

        def scaled(width: int) -> int:
            return make_divisible(width * float(values["width"]))

        side = int(values["resolution"])
        first = Block.of("mbconv", kernel=3, expansion=1, stride=1, activation="relu", squeeze_excite=False)
        stem = Block.of("conv_stem", kernel=3, stride=self.stem_stride, activation="hard_swish")
        stages = [Stage("stage1", scaled(form.first_width), (first,))]
        for index, width in enumerate(form.widths):
            stages.append(Stage(f"stage{index + 2}", scaled(width), self._blocks(index, architecture)))
        head = Block.of("mobile_head", expand_width=scaled(form.head_widths[0]), mix_width=scaled(form.head_widths[1]))
        return Blueprint(
            family=self.name,
            in_channels=self.settings.in_channels,
            resolution=(side, side),
            stem=Stage("stem", scaled(form.stem_width), (stem,)),
            stages=tuple(stages),
            head=Stage("head", self.settings.num_classes, (head,)),
        )

    def _blocks(self, index: int, architecture: Architecture) -> tuple[Block, ...]:
        form, values, stage = self.form, architecture.values, f"stage{index + 2}"
        shared: dict[str, bool] = {"kernel_transform": True} if self.settings.kernel_transform else {}
        return tuple(
            Block.of(
                "mbconv",
                kernel=int(values[f"{stage}.block{number}.kernel"]),
                expansion=int(values[f"{stage}.block{number}.expansion"]),
                stride=form.strides[index] if number == 1 else 1,
                activation=form.activations[index],
                squeeze_excite=form.squeeze_excite[index],
                **shared,
            )
            for number in range(1, int(values[f"{stage}.depth"]) + 1)
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: every one on resolution and width."""
        everywhere = ("resolution", "width")
        found: dict[str, tuple[str, ...]] = dict.fromkeys(("stem", "stage1.block1", "head"), everywhere)
        for number in range(2, 2 + len(self.form.widths)):
            for block in range(1, self.form.depths[-1] + 1):
                name = f"stage{number}.block{block}"
                found[name] = (*everywhere, f"{name}.kernel", f"{name}.expansion")
        return found
