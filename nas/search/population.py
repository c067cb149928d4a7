"""Which rows were seen, and rows that were not: no architecture is looked at twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from search_spaces.space import Genes, SearchSpace

_SAMPLING_ROUNDS = 20
_LARGEST_LISTED_SPACE = 1_000_000


class SeenRows:
    """The set of canonical rows that a search has met."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, genes: Genes) -> None:
        """Remember every row of ``genes``."""
        self._keys.update(_row_keys(genes))

    def new(self, genes: Genes, *others: Genes) -> list[int]:
        """Return the indices of rows that were not seen, are not in ``others``, and come first of their copies."""
        met = {key for other in others for key in _row_keys(other)}
        indices = []
        for index, key in enumerate(_row_keys(genes)):
            if key not in self._keys and key not in met:
                met.add(key)
                indices.append(index)
        return indices

    def lacks(self, keys: Sequence[bytes]) -> NDArray[np.bool_]:
        """Return which rows, given as their bytes, were not seen, (n,)."""
        return np.fromiter((key not in self._keys for key in keys), dtype=bool, count=len(keys))


def sample_new(space: SearchSpace, rng: np.random.Generator, seen: SeenRows, num: int) -> Genes:
    """Return up to ``num`` distinct rows of ``space`` that are not in ``seen``; fewer when hardly any is left.

    Rows are drawn by ``space.sample`` and rejected when seen; what rejection does not find in a small space is listed.
    """
    rows = np.zeros((0, len(space.knobs)), dtype=np.int16)
    for _ in range(_SAMPLING_ROUNDS):
        drawn = space.sample(rng, num)
        rows = np.concatenate([rows, drawn[seen.new(drawn, rows)]])[:num]
        if len(rows) == num:
            return rows
    if space.size() <= _LARGEST_LISTED_SPACE:
        left = all_rows(space)
        left = rng.permutation(left[seen.new(left, rows)])
        rows = np.concatenate([rows, left])[:num]
    return rows


def sample_spread(space: SearchSpace, rng: np.random.Generator, num: int) -> Genes:
    """Return ``num`` rows spread evenly from the smallest network to the largest; copies are possible.

    Uniform draws over many knobs all have nearly the mean cost. Here row i draws each ordered knob of n values from
    Binomial(n - 1, i / (num - 1)), so the first row is the smallest network and the last the largest; categorical knobs
    are uniform.
    """
    share = np.linspace(0.0, 1.0, num) if num > 1 else rng.random(1)
    ordered = np.array([knob.ordered for knob in space.knobs])
    sized = rng.binomial(space.num_choices - 1, share[:, None], size=(num, len(space.knobs)))
    uniform = rng.integers(0, space.num_choices, size=sized.shape)
    return space.canonical(np.where(ordered, sized, uniform))


def change_one_knob(space: SearchSpace, rng: np.random.Generator, genes: Genes) -> Genes:
    """Return ``genes`` with one active knob of each row moved to another of its values.

    Knobs that this activates draw uniformly. Redrawing, as ``SearchSpace.mutate`` does, gives rows back unchanged.
    """
    free = (genes >= 0) & (space.num_choices > 1)
    chance = np.where(free, rng.random(genes.shape), np.inf)
    move = free & (chance == chance.min(axis=1, keepdims=True))
    steps = rng.integers(1, np.maximum(space.num_choices, 2), size=genes.shape)
    fresh = rng.integers(0, space.num_choices, size=genes.shape)
    moved = np.where(move, (genes + steps) % space.num_choices, genes)
    return space.canonical(np.where(moved < 0, fresh, moved))


def all_rows(space: SearchSpace) -> Genes:
    """Return every architecture of ``space`` as a canonical row, (size, num_knobs)."""
    rows = np.full((1, len(space.knobs)), -1, dtype=np.int16)
    for column, knob in enumerate(space.knobs):
        active = np.ones(len(rows), dtype=bool)
        if knob.parent:
            parent = space.column[knob.parent]
            allowed = [space.knobs[parent].index(value) for value in knob.parent_values]
            active = np.isin(rows[:, parent], allowed)
        choices = np.arange(len(knob.values), dtype=np.int16)
        branched = np.repeat(rows[active], len(choices), axis=0)
        branched[:, column] = np.tile(choices, int(active.sum()))
        rows = np.concatenate([rows[~active], branched])
    return rows


def _row_keys(genes: Genes) -> Iterable[bytes]:
    return (row.tobytes() for row in np.ascontiguousarray(genes, dtype=np.int16))
