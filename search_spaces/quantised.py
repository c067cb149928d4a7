"""A space whose networks also choose the precisions of blocks or layers: architecture and quantisation searched as one.

SimQ-NAS (arXiv 2312.13301): the genome is the architecture's followed by the policy's; the entries of blocks and layers
that a network lacks are inactive. To everything else it is a space as any other: its blueprints carry the precisions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, field_validator

from search_spaces.architecture import Architecture, read_architecture
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError, unknown
from search_spaces.knobs import Knob, Value
from search_spaces.parts import Part
from search_spaces.precision import PRECISIONS, PrecisionName, with_policy
from search_spaces.precision_parts import precision_parts
from search_spaces.precision_slots import block_slots, layer_slots
from search_spaces.space import Genes, SearchSpace, SpaceSettings, settings_json

SUFFIX = ".precision"


def _is_default(granularity: str) -> bool:
    return granularity == "block"


class QuantisationSettings(BaseModel):
    """What blocks or layers may choose from.

    Attributes:
        precisions: of everything that is not in ``fixed``, smallest first.
        fixed: by position (``stem``, ``stage2.block1``, ``head``) the precision that a block always has; where layers
            choose, also by layer (``stage2.block1.mbconv.project.conv``).
        granularity: whether each block chooses one precision for all its weighted layers, or each of them its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    precisions: tuple[PrecisionName, ...] = Field(("int4_weights", "int8", "fp32"), min_length=1)
    fixed: dict[str, PrecisionName] = {}
    granularity: Literal["block", "layer"] = Field("block", exclude_if=_is_default)

    @field_validator("precisions")
    @classmethod
    def _each_once(cls, given: tuple[PrecisionName, ...]) -> tuple[PrecisionName, ...]:
        if len(set(given)) < len(given):
            raise ValueError(f"got {', '.join(given)}: give each once")
        return given


def read_quantisation(given: object) -> QuantisationSettings:
    """Return checked settings.

    Raises:
        UsageError: a key is unknown or a value not allowed; the message names it.
    """
    try:
        return QuantisationSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(("quantisation", *map(str, first["loc"])))
        of_precision = first["type"] == "literal_error" and first["loc"][0] != "granularity"
        allowed = f"allowed: {', '.join(PRECISIONS)}" if of_precision else first["msg"]
        raise UsageError(f"{where} got {first['input']!r}: {allowed}") from None


def _with_quantisation(settings: SpaceSettings, quantisation: QuantisationSettings) -> SpaceSettings:
    kind = create_model("Settings", __base__=type(settings), quantisation=(QuantisationSettings, ...))
    # The plugin of pydantic takes what create_model makes for a class without bases.
    return cast(SpaceSettings, kind(**settings.model_dump(), quantisation=quantisation))


def architecture_space(space: SearchSpace) -> SearchSpace:
    """Return the space of the architectures alone, which is the one whose weights are trained."""
    return space.base if isinstance(space, QuantisedSpace) else space


class QuantisedSpace(SearchSpace):
    """The networks of ``base``, each with every policy.

    Attributes:
        base: the space of the architectures.
        slots: what has a precision of its own, by position or layer.

    Raises:
        UsageError: ``fixed`` names a position or layer that the space lacks or that has no weights, or whether a block
            stands depends on several knobs.
    """

    def __init__(self, base: SearchSpace, quantisation: QuantisationSettings) -> None:
        self.base, self.name = base, base.name
        self.slots = layer_slots(base) if quantisation.granularity == "layer" else block_slots(base)
        self._precisions = quantisation.precisions
        self._fixed = self._fixed_slots(quantisation)
        super().__init__(_with_quantisation(base.settings, quantisation))

    def _fixed_slots(self, quantisation: QuantisationSettings) -> dict[str, str]:
        """Return the precision of each slot that has no choice."""
        precisions, fixed = quantisation.precisions, quantisation.fixed
        positions = {slot.position for slot in self.slots.values()}
        for name in fixed:
            if name in self.base.position_knobs() and name not in positions:
                raise UsageError(f"quantisation.fixed names {name!r}: that block has no weights: drop it")
            if name not in positions and name not in self.slots:
                known = [*positions, *self.slots]
                raise unknown(f"block of space {self.base.name!r} in quantisation.fixed", name, known)
        only = precisions[0] if len(precisions) == 1 else None
        found = {name: fixed.get(name, fixed.get(slot.position, only)) for name, slot in self.slots.items()}
        return {name: given for name, given in found.items() if given is not None}

    def make_knobs(self) -> Sequence[Knob]:
        """Return the architecture's knobs, then one for the precision of each block or layer."""
        found = list(self.base.knobs)
        for name, slot in self.slots.items():
            if name not in self._fixed:
                found.append(Knob(name + SUFFIX, self._precisions, False, slot.parent, slot.values))
        return found

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network with its precisions."""
        values = architecture.values
        policy = {
            name: self._fixed[name] if name in self._fixed else str(values[name + SUFFIX])
            for name, slot in self.slots.items()
            if not slot.parent or values.get(slot.parent) in slot.values
        }
        return with_policy(self.base.blueprint(self.base.architecture(self._base_values(architecture))), policy)

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return the base's, and the precisions where there is a choice."""
        return {
            position: (
                *knobs,
                *(name + SUFFIX for name in self._by_position.get(position, ()) if name not in self._fixed),
            )
            for position, knobs in self.base.position_knobs().items()
        }

    @cached_property
    def _by_position(self) -> dict[str, list[str]]:
        """The slots of each position."""
        found: dict[str, list[str]] = {}
        for name, slot in self.slots.items():
            found.setdefault(slot.position, []).append(name)
        return found

    def parts(self) -> tuple[Part, ...]:
        """Return the base's, each slot's with its precision."""
        return self._parts

    @cached_property
    def _parts(self) -> tuple[Part, ...]:
        columns = {name: self.column[name + SUFFIX] for name in self.slots if name not in self._fixed}
        return tuple(precision_parts(self.base.parts(), self._by_position, self._fixed, columns, self._precisions))

    def covering(self) -> Sequence[Architecture]:
        """Return the base's, at the last precision."""
        last = {name: self._precisions[-1] for name in self.column if name.endswith(SUFFIX)}
        return tuple(self.architecture({**found.values, **last}) for found in self.base.covering())

    def structure(self, genes: Genes) -> dict[str, NDArray[np.float64]]:
        """Return the base's."""
        return self.base.structure(genes[:, : len(self.base.knobs)])

    def read(self, text: str) -> Architecture:
        """Return the architecture of a JSON text of this space; settings in the text, if any, must be these."""
        name, settings, values = read_architecture(text)
        if name != self.name:
            raise UsageError(f"the architecture is of space {name!r}, not {self.name!r}")
        if settings:
            plain = {key: value for key, value in settings.items() if key != "quantisation"}
            quantisation = read_quantisation(settings.get("quantisation", {}))
            given = _with_quantisation(self.base.read_settings(plain), quantisation)
            if settings_json(given) != self.settings_json:
                raise UsageError(f"the architecture's settings {settings} are not the space's: {self.settings_json}")
        return self.architecture(values)

    def _base_values(self, architecture: Architecture) -> dict[str, Value]:
        return {name: value for name, value in architecture.choices if name in self.base.column}
