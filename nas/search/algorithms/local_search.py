"""Local search from the front: every network one knob away from a good one, the best known first.

White et al., "Exploring the Loss Landscape in Neural Architecture Search" (UAI 2021), for several objectives: the
networks whose neighbours are looked at are those of the front.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.archive import Archive
from nas.search.objectives import Objective, Values, is_feasible, to_minimised, total_violation
from nas.search.pareto import non_dominated
from search_spaces.space import Genes, SearchSpace


class LocalSearchSettings(AlgorithmSettings):
    """Settings of local search."""

    num_initial: int = Field(10, ge=1, description="rows drawn at random first")
    batch_size: int = Field(10, ge=1, description="rows per ask")


@algorithms.register("local_search")
class LocalSearch(SearchAlgorithm):
    """New neighbours of front members in random order; where they have none left, chance."""

    Settings = LocalSearchSettings
    settings: LocalSearchSettings

    def __init__(
        self, space: SearchSpace, objectives: Sequence[Objective], settings: LocalSearchSettings, seed: int
    ) -> None:
        super().__init__(space, objectives, settings, seed)
        self._archive = Archive(len(space.knobs), len(self.objectives))

    def ask(self) -> Genes:
        """Return random rows, then neighbours of the front."""
        if len(self._archive) < self.settings.num_initial:
            return self.ask_random(self.settings.num_initial)
        near = neighbours(self.space, self._archive.genes[self._best()])
        near = self.rng.permutation(near[self.seen.new(near)])[: self.settings.batch_size]
        self.seen.add(near)
        if len(near) == self.settings.batch_size:
            return near
        return np.concatenate([near, self.ask_random(self.settings.batch_size - len(near))])

    def learn(self, genes: Genes, values: Values) -> None:
        """Remember the values."""
        self._archive.add(genes, values)

    def _best(self) -> np.ndarray:
        """Return the places of the feasible front, or of the row that breaks the bounds least."""
        values = self._archive.values
        places = np.flatnonzero(is_feasible(values, self.objectives))
        if len(places):
            return places[non_dominated(to_minimised(values[places], self.objectives))]
        broken = total_violation(values, self.objectives)
        return np.array([int(np.argmin(np.where(broken > 0.0, broken, np.inf)))])


def neighbours(space: SearchSpace, genes: Genes) -> Genes:
    """Return every row that differs from one of ``genes`` in one active knob; what that activates takes index 0."""
    found = [np.zeros((0, len(space.knobs)), dtype=np.int16)]
    for column, num in enumerate(space.num_choices.tolist()):
        rows = genes[genes[:, column] >= 0]
        for choice in range(num):
            changed = rows[rows[:, column] != choice].copy()
            changed[:, column] = choice
            found.append(np.maximum(changed, 0))
    return space.canonical(np.concatenate(found))
