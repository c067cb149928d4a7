"""SearchSpace: named knobs and the blueprint that a choice of them means.

Populations are integer matrices (``genes``): one row an architecture, one column a knob, each entry the index of the
chosen value, or -1 where the knob is inactive. All operations on them are array operations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from search_spaces.architecture import Architecture, canonical_json, read_architecture
from search_spaces.blueprint import Blueprint, Setting
from search_spaces.errors import UsageError, unknown
from search_spaces.knobs import Knob, Value, check_knobs, count_architectures
from search_spaces.parts import Part, parts_by_position

Genes = NDArray[np.int16]


def is_absent(value: object) -> bool:
    """Return whether a setting has no value: it then stays out of what is stored."""
    return value is None


class SpaceSettings(BaseModel):
    """Settings that every space has; a space adds its own in a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    in_channels: int = Field(3, ge=1)
    num_classes: int = Field(1000, ge=1)
    """Outputs of the head: of a classifier its classes, of another head its channels."""
    head: dict[str, Setting | tuple[Setting, ...]] | None = Field(None, exclude_if=is_absent)
    """A head over the pyramid instead of the space's own: ``kind``, and its settings; several values are searched."""
    aspect: tuple[PositiveInt, PositiveInt] | None = Field(None, exclude_if=is_absent)
    """Height and width that images are to each other as; a resolution is then the height. None: the space's own."""


def settings_json(settings: SpaceSettings) -> str:
    """Return ``settings`` as canonical JSON, defaults left out."""
    return canonical_json(settings.model_dump(mode="json", exclude_defaults=True))


class SearchSpace(ABC):
    """A family of networks. Subclasses give ``name``, ``Settings``, ``knobs``, ``blueprint`` and ``position_knobs``."""

    name: str
    Settings: ClassVar[type[SpaceSettings]] = SpaceSettings
    has_pyramid: ClassVar[bool] = True
    """Whether every stage gives one map or grid of tokens, which heads over the pyramid read."""

    def __init__(self, settings: SpaceSettings) -> None:
        self.settings = settings
        self.knobs: tuple[Knob, ...] = tuple(self.make_knobs())
        check_knobs(self.knobs)
        self.settings_json = settings_json(settings)

    @classmethod
    def read_settings(cls, settings: Mapping[str, Any]) -> SpaceSettings:
        """Return checked settings of this kind of space.

        Raises:
            UsageError: a key is unknown, or a value is not allowed; the message names it.
        """
        for key in settings:
            if key not in cls.Settings.model_fields:
                raise unknown(f"setting of space {cls.name!r}", key, cls.Settings.model_fields)
        try:
            return cls.Settings(**settings)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"space {cls.name!r}, setting {where!r} got {first['input']!r}: {first['msg']}") from None

    @abstractmethod
    def make_knobs(self) -> Sequence[Knob]:
        """Return the knobs; a parent stands before its children."""

    @abstractmethod
    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return what ``architecture`` means."""

    @abstractmethod
    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for every position of the largest network, the knobs that its placed block depends on.

        They are looked up together, inactive ones included: a position is absent where the network with these values
        of its knobs, and the largest of all others, lacks it or has other knobs active (a depth that is too small makes
        the knobs of a block inactive).
        """

    def parts(self) -> tuple[Part, ...]:
        """Return what the costs of its networks add up of."""
        return parts_by_position(self)

    def covering(self) -> Sequence[Architecture]:
        """Return networks that hold what the largest ones lack (a projection that stands only where widths differ)."""
        return ()

    # -- knobs ------------------------------------------------------------------------------------------------------

    @cached_property
    def column(self) -> dict[str, int]:
        """The column of each knob in ``genes``."""
        return {knob.name: index for index, knob in enumerate(self.knobs)}

    @cached_property
    def num_choices(self) -> NDArray[np.int16]:
        """The number of values of each knob."""
        return np.array([len(knob.values) for knob in self.knobs], dtype=np.int16)

    @cached_property
    def _activity(self) -> list[tuple[int, int, NDArray[np.bool_]]]:
        """(column, parent's column, active at each index of the parent) of every knob with a parent.

        The last two entries of the table answer an index that is too large and -1, an inactive parent: inactive.
        """
        rows = []
        for index, knob in enumerate(self.knobs):
            if knob.parent:
                parent = self.knobs[self.column[knob.parent]]
                active = [value in knob.parent_values for value in parent.values]
                rows.append((index, self.column[knob.parent], np.array([*active, False, False])))
        return rows

    def size(self) -> int:
        """Return the exact number of distinct architectures."""
        return count_architectures(self.knobs)

    # -- populations ------------------------------------------------------------------------------------------------

    def canonical(self, genes: NDArray[np.integer[Any]]) -> Genes:
        """Return ``genes`` (n, num_knobs) with inactive entries at -1.

        Raises:
            UsageError: an index of an active knob is out of range.
        """
        given = np.array(genes, ndmin=2)
        if given.shape[1:] != (len(self.knobs),):
            raise UsageError(f"genes got shape {given.shape}: allowed: (n, {len(self.knobs)}), one column a knob")
        canonical: Genes = given.clip(-1, self.num_choices).astype(np.int16)
        for index, parent, table in self._activity:
            canonical[~table[canonical[:, parent]], index] = -1
        wrong = (canonical >= self.num_choices) | ((canonical < 0) & self.active(canonical))
        if wrong.any():
            row, index = map(int, np.argwhere(wrong)[0])
            raise UsageError(
                f"row {row} gives knob {self.knobs[index].name!r} the index {given[row, index]}: "
                f"allowed: 0 to {self.num_choices[index] - 1}"
            )
        return canonical

    def active(self, genes: Genes) -> NDArray[np.bool_]:
        """Return which knobs of each row are active, (n, num_knobs), from the values of their parents."""
        active = np.ones(genes.shape, dtype=bool)
        for index, parent, table in self._activity:
            active[:, index] = active[:, parent] & table[genes[:, parent]]
        return active

    def sample(self, rng: np.random.Generator, num: int) -> Genes:
        """Return ``num`` rows; every knob draws uniformly from its values, then inactive ones are cleared."""
        return self.canonical(rng.integers(0, self.num_choices, size=(num, len(self.knobs)), dtype=np.int16))

    def mutate(self, rng: np.random.Generator, genes: Genes, probability: float) -> Genes:
        """Return ``genes`` with each knob redrawn with ``probability``; newly active knobs draw uniformly."""
        fresh = rng.integers(0, self.num_choices, size=genes.shape, dtype=np.int16)
        redraw = (rng.random(genes.shape) < probability) | (genes < 0)
        return self.canonical(np.where(redraw, fresh, genes))

    def crossover(self, rng: np.random.Generator, mothers: Genes, fathers: Genes) -> Genes:
        """Return one child a pair, each knob from either parent with even odds; missing ones come from the other."""
        take = rng.random(mothers.shape) < 0.5
        child = np.where(take, mothers, fathers)
        child = np.where(child < 0, np.where(take, fathers, mothers), child)
        fresh = rng.integers(0, self.num_choices, size=child.shape, dtype=np.int16)
        return self.canonical(np.where(child < 0, fresh, child))

    def one_hot(self, genes: Genes) -> NDArray[np.float32]:
        """Return (n, sum of num_choices) indicators; inactive knobs are all zero (absent genes masked)."""
        offsets = np.concatenate([[0], np.cumsum(self.num_choices)])
        shape = len(genes), int(offsets[-1])
        places = np.arange(len(genes))[:, None] * shape[1] + offsets[:-1] + genes
        # Inactive knobs set one cell behind all rows.
        out = np.zeros(shape[0] * shape[1] + 1, dtype=np.float32)
        out[np.where(genes >= 0, places, -1)] = 1.0
        return out[:-1].reshape(shape)

    def structure(self, _genes: Genes) -> dict[str, NDArray[np.float64]]:
        """Return further columns of each row, (n, d) by name, that say what its choices mean together; none here.

        Predictors read them beside ``one_hot``: a space whose choices interact strongly (the edges of a cell) gives
        what it knows of that.
        """
        return {}

    # -- single architectures ---------------------------------------------------------------------------------------

    def architecture(self, values: Mapping[str, Value]) -> Architecture:
        """Return the architecture of these knob values; values of inactive knobs are dropped.

        Raises:
            UsageError: a knob is unknown, lacks a value or has one that is not allowed.
        """
        for name in values:
            if name not in self.column:
                raise unknown(f"knob of space {self.name!r}", name, self.column)
        choices: dict[str, Value] = {}
        for knob in self.knobs:
            if knob.parent and choices.get(knob.parent) not in knob.parent_values:
                continue
            if knob.name not in values:
                raise UsageError(f"knob {knob.name!r} has no value: allowed: {', '.join(map(str, knob.values))}")
            choices[knob.name] = knob.values[knob.index(values[knob.name])]
        return Architecture(self.name, self.settings_json, tuple(choices.items()))

    def encode(self, architectures: Sequence[Architecture]) -> Genes:
        """Return the genes of ``architectures``, (n, num_knobs)."""
        genes = np.full((len(architectures), len(self.knobs)), -1, dtype=np.int16)
        for row, architecture in enumerate(architectures):
            for name, value in architecture.choices:
                index = self.column[name]
                genes[row, index] = self.knobs[index].index(value)
        return genes

    def decode(self, genes: NDArray[np.integer[Any]]) -> list[Architecture]:
        """Return the architectures of ``genes``."""
        return [
            Architecture(
                self.name,
                self.settings_json,
                tuple((knob.name, knob.values[i]) for knob, i in zip(self.knobs, row, strict=True) if i >= 0),
            )
            for row in self.canonical(genes).tolist()
        ]

    def read(self, text: str) -> Architecture:
        """Return the architecture of a JSON text of this space; settings in the text, if any, must be these."""
        name, settings, values = read_architecture(text)
        if name != self.name:
            raise UsageError(f"the architecture is of space {name!r}, not {self.name!r}")
        if settings and settings_json(self.read_settings(settings)) != self.settings_json:
            raise UsageError(f"the architecture's settings {settings} are not the space's: {self.settings_json}")
        return self.architecture(values)

    def largest(self) -> Architecture:
        """Return the network of every knob's last value."""
        return self.decode(self.num_choices[None] - 1)[0]

    def smallest(self) -> Architecture:
        """Return the network of every knob's first value."""
        return self.decode(np.zeros((1, len(self.knobs)), dtype=np.int16))[0]
