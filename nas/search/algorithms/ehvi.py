"""Bayesian search: Gaussian processes, and the rows that are expected to add most hypervolume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.archive import Archive
from nas.search.objectives import Objective, Values, is_feasible
from nas.search.population import sample_spread
from search_spaces.space import Genes, SearchSpace

if TYPE_CHECKING:
    from nas.search.predictions import Array, Prediction


class EhviSettings(AlgorithmSettings):
    """Settings of the search by expected hypervolume improvement."""

    num_initial: int = Field(8, ge=2, description="evaluated rows before the first models")
    batch_size: int = Field(3, ge=1, description="rows per ask at least")
    batch_share: float = Field(0.03, ge=0, le=1, description="rows per ask, as a share of those evaluated")
    optimise: str = Field("", description="the one objective to optimise, others only keep their bounds; empty: all")


@algorithms.register("ehvi")
class Ehvi(SearchAlgorithm):
    """Expected hypervolume improvement times the probability to keep the bounds.

    Accuracy and costs are learnt by Gaussian processes (``nas.search.surrogate``); costs that ``use_cheap`` gives are
    taken as they are. Rows of one ask are chosen one after the other, each taken to have its expected values
    (Ginsbourger et al., "Kriging is well-suited to parallelize optimization", 2010). Spaces of at most 20,000 networks
    are scored as a whole; in larger ones an evolution looks for high scores.
    """

    Settings = EhviSettings
    settings: EhviSettings

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], settings: EhviSettings, seed: int) -> None:
        super().__init__(space, objectives, settings, seed)
        self._archive = Archive(len(space.knobs), len(self.objectives))
        self._optimised = _columns_to_optimise(self.objectives, settings.optimise)
        self._listed: Genes | None = None
        self._is_listed = False

    def ask(self) -> Genes:
        """Return spread rows until there are enough to learn from, then those of the highest expected improvement."""
        num_known = int(self._archive.known().sum())
        if num_known < self.settings.num_initial:
            num = self.settings.num_initial - num_known
            rows = sample_spread(self.space, self.rng, num)
            rows = rows[self.seen.new(rows)]
        else:
            num = max(self.settings.batch_size, int(self.settings.batch_share * num_known))
            rows = self._best_rows(num)
        self.seen.add(rows)
        if len(rows) == num:
            return rows
        return np.concatenate([rows, self.ask_random(num - len(rows))])

    def learn(self, genes: Genes, values: Values) -> None:
        """Remember the values; models are fitted when rows are asked for."""
        self._archive.add(genes, values)

    def _best_rows(self, num: int) -> Genes:
        from nas.search.candidates import evolve_candidates, listed_rows
        from nas.search.surrogate import Columns, Surrogate, as_losses

        archive = self._archive
        surrogate = Surrogate(Columns(self.space, self.evaluate_cheap), self.objectives, archive.genes, archive.values)
        feasible = is_feasible(archive.values, self.objectives)
        losses = as_losses(archive.values, self.objectives)[:, self._optimised]
        if not self._is_listed:
            self._listed, self._is_listed = listed_rows(self.space), True
        if self._listed is not None:
            rows = self._listed[self.seen.new(self._listed)]
        else:
            probe = surrogate(self.space.sample(self.rng, 500))
            reference = self._reference(probe, losses)
            seed = int(self.rng.integers(2**31))

            def score(genes: Genes) -> Array:
                return self._improvement(surrogate(genes), losses[feasible], reference, np.random.default_rng(seed))

            rows = evolve_candidates(self.space, self.rng, self.seen, archive.genes[self._front(feasible)], score)
        return rows[self._choose(surrogate(rows), losses, feasible, num)] if len(rows) else rows

    def _choose(self, predictions: Sequence[Prediction], losses: Values, feasible: np.ndarray, num: int) -> list[int]:
        """Return the places of ``num`` rows, each the best once those before it have their expected values."""
        reference = self._reference(predictions, losses)
        front = losses[feasible]
        means = np.column_stack([predictions[column].mean for column in self._optimised])
        chosen: list[int] = []
        for _ in range(min(num, len(means))):
            gain = self._improvement(predictions, front, reference, self.rng)
            gain[chosen] = -1.0
            chosen.append(int(np.argmax(gain)))
            front = np.concatenate([front, means[chosen[-1:]]])
        return chosen

    def _improvement(
        self, predictions: Sequence[Prediction], front: Values, reference: Array, rng: np.random.Generator
    ) -> Array:
        from nas.search.acquisition import hypervolume_improvement
        from nas.search.surrogate import probability_feasible

        optimised = [predictions[column] for column in self._optimised]
        gain = hypervolume_improvement(optimised, front, reference, rng)
        return np.asarray(gain * probability_feasible(predictions, self.objectives))

    def _reference(self, predictions: Sequence[Prediction], losses: Values) -> Array:
        """Return the worst value of each optimised objective, told or expected: no end of the front is cut off."""
        worst = []
        for place, column in enumerate(self._optimised):
            told = losses[np.isfinite(losses[:, place]), place]
            expected = float(predictions[column].mean.max())
            limit = 100.0 if self.objectives[column].name == "accuracy" else np.inf
            worst.append(min(max(expected, float(told.max(initial=-np.inf))), limit))
        return np.array(worst) + 1e-9

    def _front(self, feasible: np.ndarray) -> np.ndarray:
        """Return the places of the told rows that no feasible row dominates."""
        from nas.search.objectives import to_minimised
        from nas.search.pareto import non_dominated

        places = np.flatnonzero(feasible)
        points = to_minimised(self._archive.values[places], self.objectives)[:, self._optimised]
        return places[non_dominated(points)] if len(places) else places


def _columns_to_optimise(objectives: Sequence[Objective], name: str) -> list[int]:
    from search_spaces.errors import unknown

    names = [objective.name for objective in objectives]
    if not name:
        return list(range(len(names)))
    if name not in names:
        raise unknown("objective to optimise", name, names)
    return [names.index(name)]
