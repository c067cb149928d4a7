"""Spaces of stages: resolution, width, the depth of each stage and the same few choices for every block of a stage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.knobs import Knob, Value
from search_spaces.space import SearchSpace, SpaceSettings

Choices = Mapping[str, tuple[Value, ...]]
BlockValues = Mapping[str, Value]


@dataclass(frozen=True)
class StagedForm:
    """The choices of one form.

    Attributes:
        resolutions: sides of the image in pixels.
        widths: of the first stage; the others follow from it.
        depths: of each stage.
        choices: of the blocks of each stage, by name; the blocks take them in turn.
        patch: side of the stem's patches in pixels; it divides every resolution.
        width_step: a number that divides every width.
        categorical: names of the choices whose larger values do not hold the smaller ones.
    """

    resolutions: tuple[int, ...]
    widths: tuple[int, ...]
    depths: tuple[tuple[int, ...], ...]
    choices: tuple[tuple[Choices, ...], ...]
    patch: int = 1
    width_step: int = 1
    categorical: frozenset[str] = frozenset()

    def positions(self) -> Iterator[tuple[int, int, Choices]]:
        """Yield (stage, block, its choices) of the largest network, counted from 1."""
        for stage, (depths, choices) in enumerate(zip(self.depths, self.choices, strict=True), start=1):
            for block in range(1, depths[-1] + 1):
                yield stage, block, choices[(block - 1) % len(choices)]


class StagedSettings(SpaceSettings):
    """Settings of a space of stages; what is left out comes from the form, which a space adds."""

    form: str
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    widths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)


class StagedSpace(SearchSpace):
    """A space whose networks are stages of blocks. Subclasses give ``forms`` and ``network``."""

    forms: ClassVar[Mapping[str, StagedForm]]
    Settings = StagedSettings
    settings: StagedSettings

    def __init__(self, settings: StagedSettings) -> None:
        self.form = self.forms[settings.form]
        self.resolutions = settings.resolutions or self.form.resolutions
        self.widths = settings.widths or self.form.widths
        self._check_multiples("resolutions", self.resolutions, self.form.patch)
        self._check_multiples("widths", self.widths, self.form.width_step)
        super().__init__(settings)

    def _check_multiples(self, setting: str, values: tuple[int, ...], step: int) -> None:
        for value in values:
            if value % step:
                raise UsageError(f"space {self.name!r}, setting {setting!r} got {value}: allowed: multiples of {step}")

    @abstractmethod
    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes.

        Args:
            resolution: side of the image in pixels.
            width: of the first stage.
            stages: the values of the choices of each block of each stage.

        Raises:
            UsageError: a block can't stand there; the message names the setting.
        """

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution and width, each stage's depth, then each block's choices."""
        form = self.form
        knobs = [Knob("resolution", self.resolutions), Knob("width", self.widths)]
        knobs += [Knob(f"stage{stage}.depth", depths) for stage, depths in enumerate(form.depths, start=1)]
        for stage, block, choices in form.positions():
            present = tuple(depth for depth in form.depths[stage - 1] if depth >= block)
            for name, values in choices.items():
                ordered = name not in form.categorical
                knobs.append(Knob(f"stage{stage}.block{block}.{name}", values, ordered, f"stage{stage}.depth", present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return what ``architecture`` means."""
        values = architecture.values
        stages: list[list[BlockValues]] = [[] for _ in self.form.depths]
        for stage, block, choices in self.form.positions():
            if block <= int(values[f"stage{stage}.depth"]):
                stages[stage - 1].append({name: values[f"stage{stage}.block{block}.{name}"] for name in choices})
        return self.network(int(values["resolution"]), int(values["width"]), stages)

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: every one on resolution and width."""
        everywhere = ("resolution", "width")
        found: dict[str, tuple[str, ...]] = {"stem": everywhere, "head": everywhere}
        for stage, block, choices in self.form.positions():
            name = f"stage{stage}.block{block}"
            found[name] = (*everywhere, *(f"{name}.{choice}" for choice in choices))
        return found
