"""What the cost of a network adds up of: a part a position, each a function of a few knobs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.block import block_layers
from search_spaces.blueprint import PlacedBlock
from search_spaces.errors import UsageError
from search_spaces.layers import Layer, weighted_groups

if TYPE_CHECKING:
    from search_spaces.space import Genes, SearchSpace


class PartOfBlock(NamedTuple):
    """A block, or one of its weighted layers with what follows it.

    Attributes:
        placed: the block.
        layer: number of the weighted layer, from 0; None: the whole block.
        precision: of the layers; None: what the block says.
    """

    placed: PlacedBlock
    layer: int | None = None
    precision: str | None = None

    def layers(self) -> tuple[Layer, ...]:
        """Return its layers."""
        found = block_layers(self.placed) if self.layer is None else _groups(self.placed)[self.layer]
        if self.precision is None:
            return found
        return tuple(replace(layer, precision=self.precision) for layer in found)

    @property
    def key(self) -> Hashable:
        """What its layers follow from, wherever it stands."""
        what = replace(self.placed, name="") if self.layer is None else _groups(self.placed)[self.layer]
        return what, self.precision


@lru_cache(maxsize=1 << 15)
def _groups(placed: PlacedBlock) -> tuple[tuple[Layer, ...], ...]:
    return weighted_groups(block_layers(placed))


@dataclass(frozen=True)
class Part:
    """What stands at a position, or a layer of it, by the knobs that it depends on.

    Attributes:
        position: its name, as ``stage2.block3``.
        columns: of the knobs, ascending.
        shape: one more than the number of values of each.
        rows: what stands there, by row: the place of (index + 1 of each knob) in ``shape``, 0 for an inactive knob.
            Where nothing does, the row is missing.
    """

    position: str
    columns: tuple[int, ...]
    shape: tuple[int, ...]
    rows: dict[int, PartOfBlock]

    def rows_of(self, genes: Genes) -> NDArray[np.int64]:
        """Return the row of each of ``genes``, (n,)."""
        return _rows(genes, self.columns, self.shape)


@lru_cache(maxsize=8)
def parts_by_position(space: SearchSpace) -> tuple[Part, ...]:
    """Return one part a position of ``space``; kept, since each quantity of a population has tables of its own."""
    position_knobs = space.position_knobs()
    names: dict[tuple[int, ...], list[str]] = {}
    for name, knobs in position_knobs.items():
        names.setdefault(tuple(sorted(space.column[knob] for knob in knobs)), []).append(name)
    found: dict[str, Part] = {}
    for columns, group in names.items():
        found.update(_place(space, columns, group))
    return tuple(found[name] for name in position_knobs)


def _place(space: SearchSpace, columns: tuple[int, ...], names: Sequence[str]) -> dict[str, Part]:
    """Place the blocks at ``names`` once for every combination of their knobs, all others at their largest."""
    shape = tuple(len(space.knobs[column].values) + 1 for column in columns)
    genes = combinations(space, columns)
    rows: dict[str, dict[int, PartOfBlock]] = {name: {} for name in names}
    for row, architecture in zip(_rows(genes, columns, shape).tolist(), space.decode(genes), strict=True):
        for placed in space.blueprint(architecture).placed():
            if placed.name in rows:
                rows[placed.name][row] = PartOfBlock(placed)
    for name, found in rows.items():
        if not found:
            raise UsageError(f"space {space.name!r} has no block at {name!r}: mend its position_knobs")
    return {name: Part(name, columns, shape, found) for name, found in rows.items()}


def combinations(space: SearchSpace, columns: Sequence[int]) -> Genes:
    """Return every combination of the knobs at ``columns``, all others at their largest, (n, num_knobs).

    Left out are those in which the activity of a knob would be another.
    """
    shape = [len(space.knobs[column].values) + 1 for column in columns]
    chosen = np.indices(shape, dtype=np.int16).reshape(len(shape), prod(shape)).T - 1
    genes = np.tile(space.num_choices - 1, (len(chosen), 1))
    genes[:, columns] = chosen
    possible = (space.active(genes)[:, columns] == (chosen >= 0)).all(axis=1)
    return np.asarray(genes[possible])


def _rows(genes: Genes, columns: Sequence[int], shape: Sequence[int]) -> NDArray[np.int64]:
    if not columns:
        return np.zeros(len(genes), dtype=np.int64)
    return np.asarray(np.ravel_multi_index(tuple(genes[:, columns].T.astype(np.int64) + 1), tuple(shape)))
