"""Knobs: the searchable choices of a space, and the exact number of networks that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from search_spaces.errors import UsageError

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Knob:
    """One searchable choice.

    Attributes:
        name: unique in its space, by role (``stage2.block3.kernel``).
        values: the choices; ascending when ordered.
        ordered: whether a larger value holds the smaller ones (widths, depths, kernels); operator kinds do not.
        parent: the knob that decides whether this one is active, or "" when it always is.
        parent_values: the values of ``parent`` at which this knob is active.
    """

    name: str
    values: tuple[Value, ...]
    ordered: bool = True
    parent: str = ""
    parent_values: tuple[Value, ...] = ()

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) != len(self.values):
            raise UsageError(f"knob {self.name!r} got values {self.values}: give at least one, each once")
        numbers = [value for value in self.values if not isinstance(value, str)]
        if self.ordered and (len(numbers) < len(self.values) or numbers != sorted(numbers)):
            raise UsageError(f"knob {self.name!r} got values {self.values}: an ordered knob lists numbers, ascending")

    def index(self, value: Value) -> int:
        """Return the position of ``value``; an error names the knob and its values."""
        try:
            return self.values.index(value)
        except ValueError:
            allowed = ", ".join(map(str, self.values))
            raise UsageError(f"knob {self.name!r} got {value!r}: allowed: {allowed}") from None


def check_knobs(knobs: Sequence[Knob]) -> None:
    """Raise UsageError unless names are unique and each parent stands before its children with such values."""
    seen: dict[str, Knob] = {}
    for knob in knobs:
        if knob.name in seen:
            raise UsageError(f"knob {knob.name!r} is declared twice: rename one of them")
        if knob.parent:
            if knob.parent not in seen:
                raise UsageError(f"knob {knob.name!r} has parent {knob.parent!r}: declare the parent before it")
            for value in knob.parent_values:
                seen[knob.parent].index(value)
        seen[knob.name] = knob


def count_architectures(knobs: Sequence[Knob]) -> int:
    """Return the exact number of distinct canonical architectures (inactive knobs make no two of them)."""
    children: dict[str, list[Knob]] = {}
    for knob in knobs:
        children.setdefault(knob.parent, []).append(knob)

    def ways(knob: Knob) -> int:
        return sum(
            prod(ways(child) for child in children.get(knob.name, ()) if value in child.parent_values)
            for value in knob.values
        )

    return prod(ways(knob) for knob in children.get("", ()))
