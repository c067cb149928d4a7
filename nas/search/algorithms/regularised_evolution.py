"""Regularised evolution: the oldest dies, whatever its worth.

Real et al., "Regularized Evolution for Image Classifier Architecture Search" (AAAI 2019). With several objectives a
tournament is won by who is dominated by the fewest of it; chance decides between equals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.objectives import Objective, Values, is_feasible, to_minimised, total_violation
from nas.search.population import change_one_knob
from search_spaces.space import Genes, SearchSpace

_MUTATION_ROUNDS = 10


class RegularisedEvolutionSettings(AlgorithmSettings):
    """Settings of regularised evolution."""

    population_size: int = Field(25, ge=2, description="the youngest so many rows are parents")
    tournament_size: int = Field(8, ge=1, description="parents drawn for each child")
    batch_size: int = Field(5, ge=1, description="children per ask")


@algorithms.register("regularised_evolution")
class RegularisedEvolution(SearchAlgorithm):
    """Children differ from the winner of a tournament in one knob."""

    Settings = RegularisedEvolutionSettings
    settings: RegularisedEvolutionSettings

    def __init__(
        self, space: SearchSpace, objectives: Sequence[Objective], settings: RegularisedEvolutionSettings, seed: int
    ) -> None:
        super().__init__(space, objectives, settings, seed)
        self._genes: Genes = np.zeros((0, len(space.knobs)), dtype=np.int16)
        self._values: Values = np.zeros((0, len(self.objectives)))

    def ask(self) -> Genes:
        """Return random rows until the population is whole, then children; chance where these are all known."""
        missing = self.settings.population_size - len(self._genes)
        if missing > 0:
            return self.ask_random(missing)
        rows = self._genes[:0]
        for _ in range(_MUTATION_ROUNDS):
            parents = self._genes[[self._winner() for _ in range(self.settings.batch_size)]]
            children = change_one_knob(self.space, self.rng, parents)
            rows = np.concatenate([rows, children[self.seen.new(children, rows)]])[: self.settings.batch_size]
            if len(rows) == self.settings.batch_size:
                break
        self.seen.add(rows)
        return np.concatenate([rows, self.ask_random(self.settings.batch_size - len(rows))])

    def learn(self, genes: Genes, values: Values) -> None:
        """Let the told rows live and the oldest die."""
        keep = -self.settings.population_size
        self._genes = np.concatenate([self._genes, genes])[keep:]
        self._values = np.concatenate([self._values, values])[keep:]

    def _winner(self) -> int:
        drawn = self.rng.choice(len(self._genes), min(self.settings.tournament_size, len(self._genes)), replace=False)
        return int(drawn[np.argmin(num_better(self._values[drawn], self.objectives))])


def num_better(values: Values, objectives: Sequence[Objective]) -> np.ndarray:
    """Return how many others beat each row, (n,): feasible first, then less violation, then dominance."""
    feasible = is_feasible(values, objectives)
    points = np.where(feasible[:, None], to_minimised(values, objectives), 0.0)
    broken = total_violation(values, objectives)
    # A row that failed breaks no known bound, and is worse than any that does.
    broken = np.where(feasible, 0.0, np.where(broken > 0.0, broken, np.inf))
    no_worse = (points[:, None] <= points[None]).all(axis=2) & (points[:, None] < points[None]).any(axis=2)
    better = (broken[:, None] < broken[None]) | (feasible[:, None] & feasible[None] & no_worse)
    return np.asarray(better.sum(axis=0))
