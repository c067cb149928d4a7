"""Spaces whose blocks are alike within a stage: resolution, a width multiplier, each stage's depth and its choices."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import Field, PositiveFloat, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.knobs import Knob, Value
from search_spaces.space import SearchSpace, SpaceSettings

D = TypeVar("D")

SMALLEST_STRIDED_STEM = 40


@dataclass(frozen=True)
class PerStageForm(Generic[D]):
    """A design and the choices around it.

    Attributes:
        design: what the family makes networks from.
        depths: one tuple a stage.
        choices: by name, offered to every stage.
        resolutions: sides of the image in pixels.
        width_multipliers: of every width of the design.
        categorical: names of the choices whose larger values do not hold the smaller ones.
    """

    design: D
    depths: tuple[tuple[int, ...], ...]
    choices: Mapping[str, tuple[Value, ...]]
    resolutions: tuple[int, ...] = (128, 160, 192, 224, 256)
    width_multipliers: tuple[float, ...] = (0.5, 0.75, 1.0)
    categorical: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sizes:
    """What an architecture of such a space chose; ``choices`` hold one value a stage."""

    resolution: tuple[int, int]
    multiplier: float
    depths: tuple[int, ...]
    choices: Mapping[str, tuple[Value, ...]]


class PerStageSettings(SpaceSettings):
    """Settings of such a space; what is left out comes from the form. A family names its forms in a subclass."""

    form: str
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    width_multipliers: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)


class PerStageSpace(SearchSpace, Generic[D]):
    """Base of the families; each gives ``name``, ``Settings``, ``forms`` and ``network``."""

    settings: PerStageSettings
    forms: ClassVar[Mapping[str, PerStageForm[D]]]

    def __init__(self, settings: PerStageSettings) -> None:
        self.form = self.forms[settings.form]
        self.resolutions = settings.resolutions or self.form.resolutions
        super().__init__(settings)

    @abstractmethod
    def network(self, sizes: Sizes) -> Blueprint:
        """Return the network of ``sizes``."""

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, width, then each stage's depth and choices."""
        form = self.form
        widths = Knob("width", self.settings.width_multipliers or form.width_multipliers)
        knobs = [Knob("resolution", self.resolutions), widths]
        for number, depths in enumerate(form.depths, start=1):
            knobs.append(Knob(f"stage{number}.depth", depths))
            for name, values in form.choices.items():
                knobs.append(Knob(f"stage{number}.{name}", values, ordered=name not in form.categorical))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return what ``architecture`` means."""
        values = architecture.values
        stages = [f"stage{number}" for number in range(1, len(self.form.depths) + 1)]
        side = int(values["resolution"])
        return self.network(
            Sizes(
                resolution=(side, side),
                multiplier=float(values["width"]),
                depths=tuple(int(values[f"{stage}.depth"]) for stage in stages),
                choices={name: tuple(values[f"{stage}.{name}"] for stage in stages) for name in self.form.choices},
            )
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: every one on resolution and width, a block on its stage's knobs."""
        everywhere = ("resolution", "width")
        found: dict[str, tuple[str, ...]] = dict.fromkeys(("stem", "head"), everywhere)
        for number, depths in enumerate(self.form.depths, start=1):
            own = tuple(f"stage{number}.{name}" for name in ("depth", *self.form.choices))
            for block in range(1, depths[-1] + 1):
                found[f"stage{number}.block{block}"] = (*everywhere, *own)
        return found

    def stem_stride(self, published: int) -> int:
        """Return the stem's stride: 2 where the design has none and the images are large enough for it."""
        return 2 if published == 1 and max(self.resolutions) >= SMALLEST_STRIDED_STEM else published
