"""What a search learns of its objectives: a Gaussian process each, over what a space says of its networks.

The accuracy is learnt as the logarithm of the error, since errors of good networks lie close and those of broken ones
far off; costs as they are, since they nearly add up over choices. Objectives that are known for every network (counts,
a latency model) are not learnt: they are looked up, and serve as inputs for the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas.search.algorithm import Evaluate
from nas.search.objectives import Objective, Values, to_minimised
from nas.search.predictions import Array, Prediction
from predictors.gaussian_process import GaussianProcess
from predictors.kernels import Kernel
from search_spaces.space import Genes, SearchSpace

LEAST_ERROR = 0.01


class Columns:
    """The inputs of all models: choices, how often each is made, the space's own columns, and known costs."""

    def __init__(self, space: SearchSpace, evaluate_cheap: Evaluate | None) -> None:
        self.space, self.evaluate_cheap = space, evaluate_cheap
        places: dict[tuple[object, ...], int] = {}
        same = [places.setdefault((knob.values, value), len(places)) for knob in space.knobs for value in knob.values]
        self._same_choice = np.eye(len(places))[same]
        self.structure = tuple(space.structure(space.encode([space.smallest()])))

    def __call__(self, genes: Genes) -> dict[str, Array]:
        """Return a matrix (n, d) for each group of columns."""
        one_hot = np.asarray(self.space.one_hot(genes), dtype=np.float64)
        found = {"one_hot": one_hot, "counts": one_hot @ self._same_choice, **self.space.structure(genes)}
        if self.evaluate_cheap is not None:
            values = self.evaluate_cheap(genes)
            found["costs"] = values[:, ~np.isnan(values).all(axis=0)]
        return found

    def accuracy_kernels(self) -> list[Kernel]:
        """Return the terms of the accuracy's covariance, linear and curved: the space's own columns, or else all."""
        known_costs = ["costs"] if self.evaluate_cheap is not None else []
        groups = self.structure or ["one_hot", "counts", *known_costs]
        return [Kernel(kind, group) for group in groups for kind in ("linear", "rbf")]

    def cost_kernels(self) -> list[Kernel]:
        """Return the terms of a cost's covariance: sums over choices, and a curved rest."""
        curved = self.structure[0] if self.structure else "one_hot"
        return [Kernel("linear", "one_hot"), Kernel("linear", "counts"), Kernel("rbf", curved)]


class Surrogate:
    """Predictions of every objective, minimised, fitted to what was told.

    Args:
        columns: of the space.
        objectives: of the search.
        genes: distinct rows (n, num_knobs).
        values: theirs, (n, num_objectives) in natural units; NaN is not known.
    """

    def __init__(self, columns: Columns, objectives: Sequence[Objective], genes: Genes, values: Values) -> None:
        self._columns, self._objectives = columns, tuple(objectives)
        inputs = columns(genes)
        known: NDArray[np.bool_] = np.zeros(len(objectives), dtype=bool)
        if columns.evaluate_cheap is not None:
            known = np.asarray(~np.isnan(columns.evaluate_cheap(genes)).all(axis=0))
        self._models = [
            None if known[index] else self._fit(objective, inputs, values[:, index])
            for index, objective in enumerate(self._objectives)
        ]

    def _fit(self, objective: Objective, inputs: dict[str, Array], values: Array) -> GaussianProcess:
        finite = np.isfinite(values)
        found = values[finite]
        accuracy = objective.name == "accuracy"
        kernels = self._columns.accuracy_kernels() if accuracy else self._columns.cost_kernels()
        if accuracy:
            found = np.log(np.maximum(100.0 - found, LEAST_ERROR))
        elif objective.direction == "max":
            found = -found
        groups = {kernel.group for kernel in kernels}
        standardised = groups - {"one_hot", "live", "paths"}
        return GaussianProcess.fit(kernels, sorted(standardised), {key: inputs[key][finite] for key in groups}, found)

    def __call__(self, genes: Genes) -> list[Prediction]:
        """Return the prediction of each objective for n rows; the accuracy's is of the error, 100 - accuracy."""
        inputs = self._columns(genes)
        cheap = self._columns.evaluate_cheap
        values = to_minimised(cheap(genes), self._objectives) if cheap is not None else None
        found = []
        for index, (objective, model) in enumerate(zip(self._objectives, self._models, strict=True)):
            if model is None:
                assert values is not None
                found.append(Prediction(values[:, index], np.zeros(len(genes))))
            else:
                mean, deviation = model.predict({key: inputs[key] for key in model.inputs})
                found.append(Prediction(mean, deviation, is_log=objective.name == "accuracy"))
        return found


def as_losses(values: Values, objectives: Sequence[Objective]) -> Values:
    """Return minimised values (n, num_objectives) as ``Surrogate`` predicts them: the accuracy as error in %."""
    minimised = to_minimised(values, objectives)
    shift = np.array([100.0 if objective.name == "accuracy" else 0.0 for objective in objectives])
    return np.asarray(minimised + shift)


def probability_feasible(predictions: Sequence[Prediction], objectives: Sequence[Objective]) -> Array:
    """Return how probable it is that a row keeps every bound, (n,), objectives taken as independent."""
    total = np.ones(len(predictions[0]))
    for column, (prediction, objective) in enumerate(zip(predictions, objectives, strict=True)):
        for sign, bound in objective.bounds():
            row = np.zeros((1, len(objectives)))
            row[0, column] = bound
            limit = float(as_losses(row, objectives)[0, column])
            below = prediction.probability_below(limit)
            is_upper = (sign == "<=") == (objective.direction == "min")
            # A known value at its bound keeps it, on either side.
            at = (prediction.deviation == 0) & (prediction.location == limit)
            total *= below if is_upper else np.where(at, 1.0, 1.0 - below)
    return total
