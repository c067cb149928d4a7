"""LINAS: an evolution on predictors, what it ends with is evaluated, the predictors are fitted again.

Cummings et al., "A Hardware-Aware Framework for Accelerating Neural Architecture Search Across Modalities" (2022). The
predictor of each objective is ridge regression or a support vector machine over one-hot choices, whichever errs less
(mean absolute percentage error) in cross-validation over their strengths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.archive import Archive
from nas.search.objectives import Objective, Values
from nas.search.population import SeenRows
from search_spaces.space import Genes, SearchSpace

_ALPHAS = (0.1, 0.5, 1.0, 5.0, 10.0)
_COSTS = (1.0, 5.0, 10.0, 50.0, 100.0)
_FOLDS = 5


class LinasSettings(AlgorithmSettings):
    """Settings of LINAS; the defaults are the published ones."""

    population_size: int = Field(50, ge=10, description="random rows first, and rows per ask")
    inner_evaluations: int = Field(20_000, ge=50, description="predicted rows of the evolution before each ask")


@algorithms.register("linas")
class Linas(SearchAlgorithm):
    """The last population of NSGA-II on the predictors is asked for; chance replaces members that were seen."""

    Settings = LinasSettings
    settings: LinasSettings

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], settings: LinasSettings, seed: int) -> None:
        super().__init__(space, objectives, settings, seed)
        self._archive = Archive(len(space.knobs), len(self.objectives))

    def ask(self) -> Genes:
        """Return random rows, then the last population of an evolution on the predictors."""
        num = self.settings.population_size
        if int(self._archive.known().sum()) < _FOLDS:
            return self.ask_random(num)
        rows = self._inner_search()
        rows = rows[self.seen.new(rows)][:num]
        self.seen.add(rows)
        return rows if len(rows) == num else np.concatenate([rows, self.ask_random(num - len(rows))])

    def learn(self, genes: Genes, values: Values) -> None:
        """Remember the values; predictors are fitted when rows are asked for."""
        self._archive.add(genes, values)

    def _inner_search(self) -> Genes:
        from nas.search.problem import Evolution

        known = self._archive.known()
        inputs = self.space.one_hot(self._archive.genes[known])
        predictors = [fit_predictor(inputs, column) for column in self._archive.values[known].T]
        size = self.settings.population_size
        seen = SeenRows()
        evolution = Evolution(
            self.space,
            self.objectives,
            seen,
            seed=int(self.rng.integers(2**31)),
            population_sizes=(size, size),
            crossover_probability=0.9,
        )
        genes = self.space.sample(self.rng, size)
        genes = genes[seen.new(genes)]
        for _ in range(max(1, self.settings.inner_evaluations // size)):
            if not len(genes):
                break
            seen.add(genes)
            one_hot = self.space.one_hot(genes)
            evolution.survive(genes, np.column_stack([predict(one_hot) for predict in predictors]))
            genes = evolution.children(size)
        return evolution.parents()


def fit_predictor(inputs: Any, values: Values) -> Callable[[Any], Values]:
    """Return the prediction, rows (m, d) -> (m,), of the model with the least cross-validated percentage error.

    Args:
        inputs: (n, d), at least five rows.
        values: (n,), finite; learnt divided by 10^(floor(log10 of the largest) - 1).
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVR

    largest = float(np.abs(values).max())
    scale = 10.0 ** (np.floor(np.log10(largest)) - 1) if largest > 0 else 1.0
    grids = ((Ridge(), {"alpha": _ALPHAS}), (SVR(kernel="rbf"), {"C": _COSTS}))
    found = [
        GridSearchCV(model, grid, cv=_FOLDS, scoring="neg_mean_absolute_percentage_error").fit(inputs, values / scale)
        for model, grid in grids
    ]
    best = max(found, key=lambda search: search.best_score_)

    def predict(rows: Any) -> Values:
        return np.asarray(best.predict(rows) * scale)

    return predict
