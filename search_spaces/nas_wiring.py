"""The wiring of NASNet-A's and PNASNet-5's cells. No torch here: spaces size their networks by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from search_spaces.errors import UsageError, unknown

Pair: TypeAlias = tuple[str, str, str, str]
"""(operator, source, operator, source); a source is h, p or the number of an earlier pair."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """The pairs of a cell, and the states that it joins."""

    pairs: tuple[Pair, ...]
    outputs: tuple[str, ...]


_PNASNET = Wiring(
    (
        ("sep5", "p", "max3", "p"),
        ("sep7", "h", "max3", "h"),
        ("sep5", "h", "sep3", "h"),
        ("sep3", "2", "max3", "h"),
        ("sep3", "p", "skip", "h"),
    ),
    ("0", "1", "2", "3", "4"),
)
_NORMAL = Wiring(
    (
        ("sep5", "h", "sep3", "p"),
        ("sep5", "p", "sep3", "p"),
        ("avg3", "h", "skip", "p"),
        ("avg3", "p", "avg3", "p"),
        ("sep3", "h", "skip", "h"),
    ),
    ("p", "0", "1", "2", "3", "4"),
)
_REDUCTION = Wiring(
    (
        ("sep5", "h", "sep7", "p"),
        ("max3", "h", "sep7", "p"),
        ("avg3", "h", "sep5", "p"),
        ("avg3", "0", "skip", "1"),
        ("sep3", "0", "max3", "h"),
    ),
    ("1", "2", "3", "4"),
)
CELLS = {"nasnet_a": {1: _NORMAL, 2: _REDUCTION}, "pnasnet5": {1: _PNASNET, 2: _PNASNET}}
"""The wiring of each cell at stride 1 and 2; operators on h and p have the stride, those on pairs have none."""


def wiring(cell: str, stride: int) -> Wiring:
    """Return the wiring of ``cell``; an unknown cell or stride is an error that lists the known ones."""
    if cell not in CELLS:
        raise unknown("cell", cell, CELLS)
    if stride not in CELLS[cell]:
        raise UsageError(f"a {cell} cell got stride {stride}: allowed: 1, 2")
    return CELLS[cell][stride]
