"""Bayesian search: Gaussian processes, and the rows that are expected to add most hypervolume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.archive import Archive
from nas.search.objectives import Objective, Values, fronts_of, is_feasible
from nas.search.population import sample_spread
from search_spaces.errors import unknown
from search_spaces.space import Genes, SearchSpace

if TYPE_CHECKING:
    from nas.search.candidates import ListedRows
    from nas.search.gain import Gain
    from nas.search.predictions import Array
    from nas.search.surrogate import Columns, Inputs, Surrogate

# Rows of one ask are chosen blind to each other's values. One front loses by that in its first fifty evaluations only,
# several lose at every budget.
ROWS_FOR_ONE_FRONT, ROWS_FOR_SEVERAL = 3, 1
# Random rows of a large space whose expected values say how far its fronts reach.
NUM_PROBES = 500


class EhviSettings(AlgorithmSettings):
    """Settings of the search by expected hypervolume improvement."""

    num_initial: int = Field(8, ge=2, description="evaluated rows before the first models")
    batch_size: int | None = Field(
        None, ge=1, description="rows per ask at least; by default 3 for one front and 1 for several"
    )
    batch_share: float = Field(0.03, ge=0, le=1, description="rows per ask, as a share of those evaluated")
    fronts: Literal["each_target", "joint"] = Field(
        "each_target", description="of several latencies: one front with each of them, or one of all objectives"
    )
    optimise: str = Field("", description="the one objective to optimise, others only keep their bounds; empty: all")


@algorithms.register("ehvi")
class Ehvi(SearchAlgorithm):
    """Expected hypervolume improvement times the probability to keep the bounds.

    Accuracy and costs are learnt by Gaussian processes (``nas.search.surrogate``); costs that ``use_cheap`` gives are
    taken as they are. With several targets the improvements of their fronts are added, each in units of its own box.
    Spaces of at most 20,000 networks are scored as a whole; in larger ones an evolution looks for high scores.
    """

    Settings = EhviSettings
    settings: EhviSettings

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], settings: EhviSettings, seed: int) -> None:
        super().__init__(space, objectives, settings, seed)
        self._archive = Archive(len(space.knobs), len(self.objectives))
        self._fronts = self._columns_of_fronts()
        self._listed: ListedRows | None = None
        self._is_listed = False

    def ask(self) -> Genes:
        """Return spread rows until there are enough to learn from, then those of the highest expected improvement."""
        num_known = int(self._archive.known().sum())
        if num_known < self.settings.num_initial:
            num = self.settings.num_initial - num_known
            rows = sample_spread(self.space, self.rng, num)
            rows = rows[self.seen.new(rows)]
        else:
            least = ROWS_FOR_ONE_FRONT if len(self._fronts) == 1 else ROWS_FOR_SEVERAL
            num = max(self.settings.batch_size or least, int(self.settings.batch_share * num_known))
            rows = self._best_rows(num)
        self.seen.add(rows)
        if len(rows) == num:
            return rows
        return np.concatenate([rows, self.ask_random(num - len(rows))])

    def learn(self, genes: Genes, values: Values) -> None:
        """Remember the values; models are fitted when rows are asked for."""
        self._archive.add(genes, values)

    def _columns_of_fronts(self) -> list[list[int]]:
        names = [objective.name for objective in self.objectives]
        if not self.settings.optimise:
            return [list(range(len(names)))] if self.settings.fronts == "joint" else fronts_of(self.objectives)
        if self.settings.optimise not in names:
            raise unknown("objective to optimise", self.settings.optimise, names)
        return [[names.index(self.settings.optimise)]]

    def _best_rows(self, num: int) -> Genes:
        from nas.search.acquisition import choose_batch
        from nas.search.candidates import list_rows
        from nas.search.gain import Gain
        from nas.search.surrogate import Columns, Surrogate, as_losses

        archive = self._archive
        columns = Columns(self.space, self.evaluate_cheap)
        if not self._is_listed:
            self._listed, self._is_listed = list_rows(self.space, columns), True
        surrogate = Surrogate(columns, self.objectives, columns(archive.genes), archive.values)
        losses = as_losses(archive.values, self.objectives)
        feasible = is_feasible(archive.values, self.objectives)
        gain = Gain(self.objectives, self._fronts, losses, feasible, seed=int(self.rng.integers(2**31)))
        rows, inputs = self._candidates(columns, surrogate, gain)
        if not len(rows):
            return rows
        predictions = surrogate(inputs)
        gain.set_reference(predictions)
        means = np.column_stack([each.mean for each in predictions])
        chosen = choose_batch(
            lambda front, places: gain([each[places] for each in predictions], front), means, gain.front, num
        )
        return rows[chosen]

    def _candidates(self, columns: Columns, surrogate: Surrogate, gain: Gain) -> tuple[Genes, Inputs]:
        """Return new rows, those of the highest gain among them."""
        from nas.search.candidates import evolve_candidates

        if self._listed is not None:

            def gain_of(inputs: Inputs) -> Array:
                predictions = surrogate(inputs)
                gain.set_reference(predictions)
                return gain(predictions, gain.front)

            places = self._listed.best(self.seen, len(self._archive), gain_of)
            return self._listed.genes[places], self._listed.inputs[places]
        gain.set_reference(surrogate(columns(self.space.sample(self.rng, NUM_PROBES))))
        parents = self._archive.genes[gain.on_a_front()]
        rows = evolve_candidates(
            self.space, self.rng, self.seen, parents, lambda genes: gain(surrogate(columns(genes)), gain.front)
        )
        return rows, columns(rows)
