"""What a search learns of its objectives: a Gaussian process each, over what a space says of its networks.

A task's metric is learnt as the logarithm of its distance from the best value, since errors of good networks lie
close and those of broken ones far off; costs as they are, since they nearly add up over choices. Objectives that are
known for every network (counts, a latency model) are not learnt: they are looked up, and serve as inputs for the
others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.search.algorithm import Evaluate
from nas.search.objectives import Objective, Values, to_minimised
from nas.search.predictions import Array, Prediction
from predictors.gaussian_process import GaussianProcess
from predictors.kernels import Kernel
from search_spaces.space import Genes, SearchSpace

LEAST_ERROR = 0.01
# Groups of indicators and counts of the same kind: their columns are centred, and not brought to the same spread.
INDICATORS = ("one_hot", "live", "paths")


@dataclass(frozen=True)
class Inputs:
    """What models read of n rows.

    Attributes:
        groups: group of columns -> (n, d).
        cheap: (n, num_objectives) in natural units, NaN where a value is not known without an evaluation; or None.
    """

    groups: dict[str, Array]
    cheap: Values | None

    def __len__(self) -> int:
        return len(next(iter(self.groups.values())))

    def __getitem__(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Inputs:
        cheap = None if self.cheap is None else self.cheap[rows]
        return Inputs({name: columns[rows] for name, columns in self.groups.items()}, cheap)


class Columns:
    """The inputs of all models: choices, how often each is made, the space's own columns, and known costs."""

    def __init__(self, space: SearchSpace, evaluate_cheap: Evaluate | None) -> None:
        self.space, self.evaluate_cheap = space, evaluate_cheap
        places: dict[tuple[object, ...], int] = {}
        same = [places.setdefault((knob.values, value), len(places)) for knob in space.knobs for value in knob.values]
        self._same_choice = np.eye(len(places))[same]
        self.structure = tuple(space.structure(space.encode([space.smallest()])))

    def __call__(self, genes: Genes) -> Inputs:
        """Return the inputs of n rows."""
        one_hot = np.asarray(self.space.one_hot(genes), dtype=np.float64)
        found = {"one_hot": one_hot, "counts": one_hot @ self._same_choice, **self.space.structure(genes)}
        if self.evaluate_cheap is None:
            return Inputs(found, None)
        values = self.evaluate_cheap(genes)
        found["costs"] = values[:, ~np.isnan(values).all(axis=0)]
        return Inputs(found, values)

    def metric_kernels(self) -> list[Kernel]:
        """Return the terms of the metric's covariance, of the space's own columns, or else of choices and costs.

        Curved in every group; linear too in those that sum up, which of a space's own columns the first are.
        """
        known_costs = ["costs"] if self.evaluate_cheap is not None else []
        groups = self.structure or ("one_hot", "counts", *known_costs)
        linear = self.structure[:1] or groups
        return [*(Kernel("linear", group) for group in linear), *(Kernel("rbf", group) for group in groups)]

    def cost_kernels(self) -> list[Kernel]:
        """Return the terms of a cost's covariance: sums over choices, and a curved rest."""
        curved = self.structure[0] if self.structure else "one_hot"
        return [Kernel("linear", "one_hot"), Kernel("linear", "counts"), Kernel("rbf", curved)]


class Surrogate:
    """Predictions of every objective, minimised, fitted to what was told.

    Args:
        columns: of the space.
        objectives: of the search.
        inputs: of distinct rows, n of them.
        values: theirs, (n, num_objectives) in natural units; NaN is not known.
    """

    def __init__(self, columns: Columns, objectives: Sequence[Objective], inputs: Inputs, values: Values) -> None:
        self._columns, self._objectives = columns, tuple(objectives)
        known: NDArray[np.bool_] = np.zeros(len(objectives), dtype=bool)
        if inputs.cheap is not None:
            known = np.asarray(~np.isnan(inputs.cheap).all(axis=0))
        self._models = [
            None if known[index] else self._fit(objective, inputs.groups, values[:, index])
            for index, objective in enumerate(self._objectives)
        ]

    def _fit(self, objective: Objective, groups: dict[str, Array], values: Array) -> GaussianProcess:
        finite = np.isfinite(values)
        found = values[finite]
        kernels = self._columns.metric_kernels() if objective.is_metric else self._columns.cost_kernels()
        if objective.best is not None:
            found = np.log(np.maximum(np.abs(objective.best - found), LEAST_ERROR))
        elif objective.direction == "max":
            found = -found
        read = sorted({kernel.group for kernel in kernels})
        standardised = [name for name in read if name not in INDICATORS]
        return GaussianProcess.fit(kernels, standardised, {name: groups[name][finite] for name in read}, found)

    def __call__(self, inputs: Inputs) -> list[Prediction]:
        """Return the prediction of each objective for n rows; a metric's is of the error, |best - metric|."""
        values = None if inputs.cheap is None else to_minimised(inputs.cheap, self._objectives)
        found = []
        for index, (objective, model) in enumerate(zip(self._objectives, self._models, strict=True)):
            if model is None:
                assert values is not None
                found.append(Prediction(values[:, index], np.zeros(len(inputs))))
            else:
                mean, deviation = model.predict({name: inputs.groups[name] for name in model.inputs})
                found.append(Prediction(mean, deviation, is_log=objective.is_metric))
        return found


def as_losses(values: Values, objectives: Sequence[Objective]) -> Values:
    """Return minimised values (n, num_objectives) as ``Surrogate`` predicts them: a metric as its error."""
    minimised = to_minimised(values, objectives)
    best = to_minimised(np.array([objective.best or 0.0 for objective in objectives]), objectives)
    return np.asarray(minimised - best)


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
