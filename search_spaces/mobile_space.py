"""What spaces of inverted bottlenecks share: a form gives the choices of each stage; knobs and blocks follow from it.

Knobs: ``resolution``, ``width`` (a multiplier of every width), and where a form offers more than one choice
``stem.width``, ``stageN.width``, ``stageN.depth``, ``head.width`` and the kernel and expansion of each block
(``stageN.blockM.kernel``) or of each stage (``stageN.kernel``).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint
from search_spaces.knobs import Knob, Value
from search_spaces.mobile import StageBlocks, mobile_network
from search_spaces.rounding import make_divisible
from search_spaces.space import SearchSpace, SpaceSettings

SMALLEST_STRIDED_STEM = 40


@dataclass(frozen=True)
class StageChoices:
    """One stage's choices.

    Attributes:
        widths: output channels, before the multiplier.
        depths, kernels, expansions: ascending.
        stride: of the first block.
        block: the settings that are no choices.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    kernels: tuple[int, ...]
    expansions: tuple[float, ...]
    stride: int
    block: Block


@dataclass(frozen=True)
class MobileForm:
    """The constants and choices of one form; ``per_block``: kernels and expansions are chosen block by block."""

    stem_widths: tuple[int, ...]
    stem_activation: str
    stages: tuple[StageChoices, ...]
    head_widths: tuple[int, ...]
    resolutions: tuple[int, ...]
    width_multipliers: tuple[float, ...] = (1.0,)
    per_block: bool = True


@dataclass(frozen=True)
class HeadSizes:
    """What a head depends on: the multiplier, the last stage's width (multiplied) and the choice of ``head.width``."""

    multiplier: float
    last_width: int
    width: int


class MobileSettings(SpaceSettings):
    """Settings of such a space; what is left out comes from the form. A family names its forms in a subclass."""

    form: str
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    width_multipliers: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)


class MobileSpace(SearchSpace):
    """Base of the families; each gives ``name``, ``Settings``, ``forms`` and ``head``."""

    settings: MobileSettings
    forms: ClassVar[Mapping[str, MobileForm]]

    def __init__(self, settings: MobileSettings) -> None:
        self.form = self.forms[settings.form]
        super().__init__(settings)

    def rounded(self, width: float) -> int:
        """Return a multiplied width as the family rounds it."""
        return make_divisible(width)

    @abstractmethod
    def head(self, sizes: HeadSizes) -> Block:
        """Return the head's block."""

    @property
    def stem_stride(self) -> int:
        """2, or 1 for images that a strided stem would leave too few pixels."""
        return 2 if max(self.settings.resolutions or self.form.resolutions) >= SMALLEST_STRIDED_STEM else 1

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution and width, then whatever the form lets choose, from stem to head."""
        knobs = [
            Knob("resolution", self.settings.resolutions or self.form.resolutions),
            Knob("width", self.settings.width_multipliers or self.form.width_multipliers),
        ]
        found = [Knob("stem.width", self.form.stem_widths)]
        for number, choices in enumerate(self.form.stages, start=1):
            found += self._stage_knobs(f"stage{number}", choices)
        found.append(Knob("head.width", self.form.head_widths))
        return knobs + [knob for knob in found if len(knob.values) > 1]

    def _stage_knobs(self, stage: str, choices: StageChoices) -> list[Knob]:
        found = [Knob(f"{stage}.width", choices.widths), Knob(f"{stage}.depth", choices.depths)]
        operators = (("kernel", choices.kernels), ("expansion", choices.expansions))
        if not self.form.per_block:
            return found + [Knob(f"{stage}.{name}", values) for name, values in operators]
        for block in range(1, choices.depths[-1] + 1):
            present = tuple(value for value in choices.depths if value >= block)
            parent = (f"{stage}.depth", present) if len(choices.depths) > 1 else ("", ())
            found += [Knob(f"{stage}.block{block}.{name}", values, True, *parent) for name, values in operators]
        return found

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: stem, stages, head."""
        values, form = architecture.values, self.form
        multiplier = float(values["width"])
        side = int(values["resolution"])
        stem_width = int(values.get("stem.width", form.stem_widths[0]))
        stages = [self._stage(f"stage{n}", choices, values) for n, choices in enumerate(form.stages, start=1)]
        head_width = int(values.get("head.width", form.head_widths[0]))
        return mobile_network(
            self.name,
            (side, side),
            self.settings.num_classes,
            self.settings.in_channels,
            (self.rounded(stem_width * multiplier), form.stem_activation),
            stages,
            self.head(HeadSizes(multiplier, stages[-1][0], head_width)),
            self.stem_stride,
        )

    def _stage(self, stage: str, choices: StageChoices, values: Mapping[str, Value]) -> StageBlocks:
        width = int(values.get(f"{stage}.width", choices.widths[0]))
        blocks = []
        for number in range(1, int(values.get(f"{stage}.depth", choices.depths[0])) + 1):
            place = f"{stage}.block{number}" if self.form.per_block else stage
            blocks.append(
                choices.block.replace(
                    kernel=int(values.get(f"{place}.kernel", choices.kernels[0])),
                    expansion=float(values.get(f"{place}.expansion", choices.expansions[0])),
                    stride=choices.stride if number == 1 else 1,
                )
            )
        return self.rounded(width * float(values["width"])), tuple(blocks)

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: resolution, width, its own knobs, the width before it."""
        found = {"stem": ["stem.width"]}
        before = "stem.width"
        for number, choices in enumerate(self.form.stages, start=1):
            stage = f"stage{number}"
            for block in range(1, choices.depths[-1] + 1):
                place = f"{stage}.block{block}" if self.form.per_block else stage
                knobs = [f"{stage}.width", f"{place}.kernel", f"{place}.expansion"]
                if not self.form.per_block or not any(knob in self.column for knob in knobs[1:]):
                    knobs.append(f"{stage}.depth")
                found[f"{stage}.block{block}"] = [before, *knobs] if block == 1 else knobs
            before = f"{stage}.width"
        found["head"] = [before, "head.width"]
        return {
            name: ("resolution", "width", *(knob for knob in knobs if knob in self.column))
            for name, knobs in found.items()
        }
