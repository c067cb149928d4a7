"""The rows among which the next ones are chosen: all of a small space, or those that evolution on a score turns up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nas.search.population import SeenRows, all_rows, change_one_knob, sample_spread
from nas.search.predictions import Array
from nas.search.surrogate import Columns, Inputs
from search_spaces.space import Genes, SearchSpace

LARGEST_LISTED = 20_000
NUM_ROUNDS = 16
ROUND_SIZE = 400
NUM_PARENTS = 60
NUM_KEPT = 3000
GROWTH = 7 / 6

Score = Callable[[Genes], Array]


class ListedRows:
    """Every row of a small space, with what models read of it.

    All rows are scored when a sixth more is known than at the last time; in between only the best of that time are, for
    their scores move little with a few evaluations.
    """

    def __init__(self, genes: Genes, inputs: Inputs) -> None:
        self.genes, self.inputs = genes, inputs
        self._keys = [row.tobytes() for row in np.ascontiguousarray(genes, dtype=np.int16)]
        self._kept: NDArray[np.intp] = np.arange(len(genes))
        self._due = 0.0

    def best(self, seen: SeenRows, num_known: int, score: Callable[[Inputs], Array]) -> NDArray[np.intp]:
        """Return the places of new rows among which the best of ``score`` are; ``num_known`` never falls."""
        new = seen.lacks(self._keys)
        if num_known >= self._due or not new[self._kept].any():
            places = np.flatnonzero(new)
            order = np.argsort(-score(self.inputs[places]), kind="stable")
            self._kept, self._due = places[np.sort(order[:NUM_KEPT])], GROWTH * num_known
            return self._kept
        return self._kept[new[self._kept]]


def list_rows(space: SearchSpace, columns: Columns) -> ListedRows | None:
    """Return the rows of a space of at most 20,000 networks; None for larger ones."""
    if space.size() > LARGEST_LISTED:
        return None
    genes = all_rows(space)
    return ListedRows(genes, columns(genes))


def evolve_candidates(
    space: SearchSpace, rng: np.random.Generator, seen: SeenRows, front: Genes, score: Score
) -> Genes:
    """Return distinct new rows, those that rounds of crossover and mutation met on the way to high scores.

    Args:
        space: the space.
        rng: of all chance.
        seen: rows that are not to be returned.
        front: the first parents, (k, num_knobs).
        score: what is to be high, of n rows.
    """
    drawn = sample_spread(space, rng, ROUND_SIZE)
    met = np.concatenate([_children(space, rng, front, ROUND_SIZE), drawn]) if len(front) else drawn
    met = met[seen.new(met)]
    scores = score(met) if len(met) else np.zeros(0)
    for _ in range(NUM_ROUNDS):
        best = met[np.argsort(-scores, kind="stable")[:NUM_PARENTS]]
        parents = np.concatenate([best, front]).astype(np.int16)
        if not len(parents):
            break
        children = _children(space, rng, parents, ROUND_SIZE)
        children = children[seen.new(children, met)]
        if len(children):
            met, scores = np.concatenate([met, children]), np.concatenate([scores, score(children)])
    return met


def _children(space: SearchSpace, rng: np.random.Generator, parents: Genes, num: int) -> Genes:
    """Return ``num`` children: half from two parents, half from one, all changed in one knob."""
    mothers, fathers = parents[rng.integers(0, len(parents), num)], parents[rng.integers(0, len(parents), num)]
    crossed = np.where((rng.random(num) < 0.5)[:, None], space.crossover(rng, mothers, fathers), mothers)
    return change_one_knob(space, rng, crossed.astype(np.int16))
