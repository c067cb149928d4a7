"""A space of one network, so that whatever trains a space trains that network alone, by the same recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.knobs import Knob
from search_spaces.space import SearchSpace


class OneNetwork(SearchSpace):
    """The space whose only member is one architecture of another space; its shared tensors are that network's own.

    Args:
        space: the other space.
        architecture: a network of it.
    """

    name = "one_network"

    def __init__(self, space: SearchSpace, architecture: Architecture) -> None:
        self._blueprint = space.blueprint(architecture)
        self._choices = architecture.choices
        super().__init__(space.settings)

    def make_knobs(self) -> Sequence[Knob]:
        """Return the architecture's knobs, each with its one value."""
        return [Knob(name, (value,), ordered=False) for name, value in self._choices]

    def blueprint(self, architecture: Architecture) -> Blueprint:  # noqa: ARG002 - there is one alone.
        """Return the network."""
        return self._blueprint

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return the first knob for every position: none varies."""
        return {placed.name: (self.knobs[0].name,) for placed in self._blueprint.placed()}
