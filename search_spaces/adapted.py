"""Any space with a head over its pyramid, and with images that are not square: its networks, adapted one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property

import numpy as np

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, PlacedBlock, Setting
from search_spaces.errors import UsageError
from search_spaces.knobs import Knob, Value
from search_spaces.space import SearchSpace, SpaceSettings


@cache
def adapted(kind: type[SearchSpace]) -> type[SearchSpace]:
    """Return ``kind`` with networks that have the head and the aspect that its settings name."""
    return type(f"Adapted{kind.__name__}", (_Adapted, kind), {"__doc__": kind.__doc__, "__module__": kind.__module__})


class _Adapted(SearchSpace):
    """Stands before a space's own class, whose blueprints it changes.

    A setting of the head that is a list of values is searched: it is the knob ``head.NAME``.

    Raises:
        UsageError: the space has no pyramid, the head takes no such setting, or a resolution has no whole width.
    """

    def __init__(self, settings: SpaceSettings) -> None:
        super().__init__(settings)
        for knob in self.knobs:
            if knob.name in ("resolution", "height"):
                for value in knob.values:
                    self._resolution(int(value))
        if settings.head is not None:
            self._check_head(settings.head)

    def make_knobs(self) -> Sequence[Knob]:
        """Return the space's own knobs, then those of the head."""
        found: Sequence[Knob] = super().make_knobs()  # type: ignore[safe-super]
        return [*found, *(_head_knob(name, values) for name, values in self._searched.items())]

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return what ``architecture`` means, with the head and the aspect of the settings."""
        found: Blueprint = super().blueprint(architecture)  # type: ignore[safe-super]
        if self.settings.aspect is not None:
            found = replace(found, resolution=self._resolution(found.resolution[0]))
        if self.settings.head is None:
            return found
        chosen = {name: architecture.values[f"head.{name}"] for name in self._searched}
        block = Block.of(pyramid=True, **{**self.settings.head, **chosen})
        return replace(found, head=replace(found.head, blocks=(block,)))

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on; a head over the pyramid on every knob that changes a level of it."""
        found: Mapping[str, tuple[str, ...]] = super().position_knobs()  # type: ignore[safe-super]
        return found if self.settings.head is None else {**found, "head": self._head_knobs}

    @cached_property
    def _searched(self) -> Mapping[str, tuple[Setting, ...]]:
        head = self.settings.head or {}
        return {name: values for name, values in head.items() if isinstance(values, tuple) and name != "kind"}

    @cached_property
    def _head_knobs(self) -> tuple[str, ...]:
        bases = (self.smallest(), self.largest())
        return tuple(knob.name for knob in self.knobs if any(self._changes_head(base, knob) for base in bases))

    def _changes_head(self, base: Architecture, knob: Knob) -> bool:
        # What another value makes active takes its first value.
        genes = np.tile(self.encode([base]).clip(0), (len(knob.values), 1))
        genes[:, self.column[knob.name]] = np.arange(len(knob.values))
        return len(set(map(self._head, self.decode(genes)))) > 1

    def _head(self, architecture: Architecture) -> PlacedBlock:
        return list(self.blueprint(architecture).placed())[-1]

    def _resolution(self, height: int) -> tuple[int, int]:
        if self.settings.aspect is None:
            return height, height
        rows, columns = self.settings.aspect
        if height * columns % rows:
            multiple = rows // np.gcd(rows, columns)
            raise UsageError(
                f"space {self.name!r}: resolution {height} of aspect {rows}:{columns} has no whole width: "
                f"allowed: multiples of {multiple}"
            )
        return height, height * columns // rows

    def _check_widths(self, head: Mapping[str, Setting | tuple[Setting, ...]]) -> None:
        for name, given in head.items():
            wrong = [value for value in _values(given) if type(value) is not int or value < 1]
            if name.endswith("_width") and wrong:
                raise UsageError(f"space {self.name!r}, setting 'head': {name} got {wrong[0]!r}: allowed: 1, 2, 3, ...")

    def _check_head(self, head: Mapping[str, Setting | tuple[Setting, ...]]) -> None:
        from search_spaces.block import block_layers

        kind = head.get("kind")
        if not isinstance(kind, str):
            raise UsageError(f"space {self.name!r}, setting 'head' got {dict(head)}: give its kind and settings")
        if not self.has_pyramid:
            raise UsageError(
                f"space {self.name!r} has no pyramid, which head {kind!r} reads: choose a space whose stages give one "
                "map or grid of tokens each"
            )
        self._check_widths(head)
        try:
            for architecture in (self.smallest(), self.largest()):
                block_layers(self._head(architecture))
        except TypeError as error:
            raise UsageError(
                f"space {self.name!r}, setting 'head': {kind} can't take {_given(head)}: {error}"
            ) from None


def _values(given: Setting | tuple[Setting, ...]) -> tuple[Setting, ...]:
    return given if isinstance(given, tuple) else (given,)


def _head_knob(name: str, values: tuple[Value, ...]) -> Knob:
    return Knob(f"head.{name}", values, ordered=not any(isinstance(value, str) for value in values))


def _given(head: Mapping[str, object]) -> str:
    return ", ".join(name for name in head if name != "kind") or "no settings"
