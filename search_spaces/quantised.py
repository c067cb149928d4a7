"""A space whose networks also choose the precision of every block: architecture and quantisation searched as one.

SimQ-NAS (arXiv 2312.13301): the genome is the architecture's followed by the policy's; the entries of blocks that a
network lacks are inactive. To everything else it is a space as any other: its blueprints carry the precisions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, field_validator

from search_spaces.architecture import Architecture, read_architecture
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError, unknown
from search_spaces.knobs import Knob, Value
from search_spaces.precision import PRECISIONS, PrecisionName, policy_of, with_policy
from search_spaces.space import Genes, SearchSpace, SpaceSettings

SUFFIX = ".precision"


class QuantisationSettings(BaseModel):
    """What blocks may choose from.

    Attributes:
        precisions: of every block that is not in ``fixed``, smallest first.
        fixed: by position (``stem``, ``stage2.block1``, ``head``) the precision that a block always has.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    precisions: tuple[PrecisionName, ...] = Field(("int4_weights", "int8", "fp32"), min_length=1)
    fixed: dict[str, PrecisionName] = {}

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
        allowed = f"allowed: {', '.join(PRECISIONS)}" if first["type"] == "literal_error" else first["msg"]
        raise UsageError(f"{where} got {first['input']!r}: {allowed}") from None


def architecture_space(space: SearchSpace) -> SearchSpace:
    """Return the space of the architectures alone, which is the one whose weights are trained."""
    return space.base if isinstance(space, QuantisedSpace) else space


class QuantisedSpace(SearchSpace):
    """The networks of ``base``, each with every policy.

    Raises:
        UsageError: ``fixed`` names a position that the space lacks or that has no weights, or whether a block stands
            depends on several knobs.
    """

    def __init__(self, base: SearchSpace, quantisation: QuantisationSettings) -> None:
        self.base, self.name = base, base.name
        self._presence = _presence(base)
        precisions = quantisation.precisions
        common = dict.fromkeys(self._presence, precisions[0]) if len(precisions) == 1 else {}
        self._fixed: dict[str, str] = {**common, **quantisation.fixed}
        for position in self._fixed:
            if position in self._presence:
                continue
            if position in base.position_knobs():
                raise UsageError(f"quantisation.fixed names {position!r}: that block has no weights: drop it")
            raise unknown(f"block of space {base.name!r} in quantisation.fixed", position, self._presence)
        self._precisions = precisions
        kind = create_model("Settings", __base__=type(base.settings), quantisation=(QuantisationSettings, ...))
        settings = kind(**base.settings.model_dump(), quantisation=quantisation)
        # The plugin of pydantic takes what create_model makes for a class without bases.
        super().__init__(cast(SpaceSettings, settings))

    def make_knobs(self) -> Sequence[Knob]:
        """Return the architecture's knobs, then one for the precision of each block."""
        found = list(self.base.knobs)
        for position, (parent, values) in self._presence.items():
            if position not in self._fixed:
                found.append(Knob(position + SUFFIX, self._precisions, False, parent, values))
        return found

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network with its precisions."""
        found = self.base.blueprint(self.base.architecture(self._base_values(architecture)))
        values = architecture.values
        policy = {
            name: self._fixed[name] if name in self._fixed else str(values[name + SUFFIX]) for name in policy_of(found)
        }
        return with_policy(found, policy)

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return the base's, and the precision where there is a choice."""
        return {
            name: (*knobs, name + SUFFIX) if name + SUFFIX in self.column else knobs
            for name, knobs in self.base.position_knobs().items()
        }

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
            base = type(self.base)(self.base.read_settings(plain))
            given = QuantisedSpace(base, read_quantisation(settings.get("quantisation", {})))
            if given.settings_json != self.settings_json:
                raise UsageError(f"the architecture's settings {settings} are not the space's: {self.settings_json}")
        return self.architecture(values)

    def _base_values(self, architecture: Architecture) -> dict[str, Value]:
        return {name: value for name, value in architecture.choices if name in self.base.column}


def _presence(base: SearchSpace) -> dict[str, tuple[str, tuple[Value, ...]]]:
    """Return (knob, values at which it stands) of every position that has weights, ("", ()) for those that always do.

    Each knob is tried at each of its values, all others at their largest.

    Raises:
        UsageError: whether a block stands depends on several knobs.
    """
    found: dict[str, dict[str, tuple[Value, ...]]] = {name: {} for name in base.position_knobs()}
    for column, knob in enumerate(base.knobs):
        rows = np.tile(base.num_choices - 1, (len(knob.values), 1))
        rows[:, column] = np.arange(len(knob.values))
        standing = [policy_of(base.blueprint(architecture)) for architecture in base.decode(rows)]
        for name, deciders in found.items():
            values = tuple(value for value, policy in zip(knob.values, standing, strict=True) if name in policy)
            if len(values) < len(knob.values):
                deciders[knob.name] = values
    presence = {name: _decider(base, name, deciders) for name, deciders in found.items()}
    return {name: decider for name, decider in presence.items() if decider is not None}


def _decider(
    base: SearchSpace, name: str, deciders: Mapping[str, tuple[Value, ...]]
) -> tuple[str, tuple[Value, ...]] | None:
    """Return the one knob that decides whether the block has weights; None for a block that never has."""
    # In a network that lacks it whatever other knobs say, the one that brings it in alone has values that do.
    bringing = {knob: values for knob, values in deciders.items() if values}
    if deciders and not bringing:
        return None
    if len(bringing) > 1:
        raise UsageError(
            f"space {base.name!r} can't be quantised block by block: {', '.join(bringing)} together decide whether "
            f"{name} stands"
        )
    return next(iter(bringing.items()), ("", ()))
