"""What evaluating a network is expected to add to the fronts of a search, bounds and several targets considered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas.search.acquisition import hypervolume_improvement
from nas.search.objectives import Objective, Values
from nas.search.pareto import non_dominated
from nas.search.predictions import Array, Prediction
from nas.search.surrogate import probability_feasible


class Gain:
    """The expected hypervolume improvement of each front in units of its box, summed, times P(bounds are kept).

    Args:
        objectives: of the search.
        fronts: the columns of each front.
        losses: told values as ``surrogate.as_losses`` gives them, (n, num_objectives).
        feasible: which of them count, (n,).
        seed: of the directions of fronts with more than two objectives: the same for every row, so that rows compare.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        fronts: Sequence[Sequence[int]],
        losses: Values,
        feasible: NDArray[np.bool_],
        seed: int,
    ) -> None:
        self._objectives, self._fronts, self._seed = tuple(objectives), [list(front) for front in fronts], seed
        self._losses, self._feasible = losses, feasible
        self.front = losses[feasible]
        self._reference = self._width = np.ones(len(objectives))

    def set_reference(self, predictions: Sequence[Prediction]) -> None:
        """Let the boxes reach over all that is told or expected: no end of a front is cut off."""
        told = np.where(np.isfinite(self._losses), self._losses, np.nan)
        expected = np.column_stack([each.mean for each in predictions])
        both = np.concatenate([told, expected])
        is_error = np.array([objective.unit == "%" for objective in self._objectives])
        worst = np.minimum(np.nanmax(both, axis=0), np.where(is_error, 100.0, np.inf))
        self._reference = worst + 1e-9
        self._width = self._reference - np.minimum(np.nanmin(both, axis=0), worst)

    def __call__(self, predictions: Sequence[Prediction], front: Values) -> Array:
        """Return the gain of n rows, (n,), where ``front`` (k, num_objectives) is known."""
        total = np.zeros(len(predictions[0]))
        for columns in self._fronts:
            rng = np.random.default_rng(self._seed)
            chosen = [predictions[column] for column in columns]
            gain = hypervolume_improvement(chosen, front[:, columns], self._reference[columns], rng)
            total += gain / np.prod(self._width[columns])
        return np.asarray(total * probability_feasible(predictions, self._objectives))

    def on_a_front(self) -> NDArray[np.intp]:
        """Return the places of the told rows that are feasible and not dominated on one of the fronts."""
        places = np.flatnonzero(self._feasible)
        on_one = np.zeros(len(places), dtype=bool)
        for columns in self._fronts:
            on_one |= non_dominated(self.front[:, columns])
        return places[on_one]
