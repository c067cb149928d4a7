"""Gaussian-process regression over named groups of columns: closed form, deterministic, JSON in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from predictors.chunks import chunks
from predictors.kernels import Array, Kernel, KernelSum, invert
from predictors.validation import Validation
from search_spaces.errors import UsageError

MAX_HYPER_SAMPLES = 300
# Rows that are predicted at a time: their covariances with some hundred samples stay in the processor's cache.
CHUNK_ROWS = 1024


@dataclass(frozen=True)
class Scaling:
    """Columns that vary in the samples, centred on their mean there and divided by ``scale``."""

    kept: Array
    centre: Array
    scale: Array

    @classmethod
    def of(cls, samples: Array, standardise: bool) -> Scaling:
        """Return the scaling that ``samples`` (n, d) define; ``standardise`` divides by the standard deviation."""
        centre, spread = samples.mean(axis=0), samples.std(axis=0)
        kept = np.flatnonzero(spread > 1e-9 * np.abs(centre))
        return cls(kept.astype(np.float64), centre, spread if standardise else np.ones_like(spread))

    def __call__(self, rows: Array) -> Array:
        """Return the scaled columns, (n, number kept); one column of zeros when none varies."""
        kept = self.kept.astype(np.intp)
        if not len(kept):
            return np.zeros((len(rows), 1))
        return np.asarray((rows[:, kept] - self.centre[kept]) / self.scale[kept])


class GaussianProcess:
    """A fitted process; make one with ``fit`` or ``from_dict``.

    Values are standardised by the mean and standard deviation of the samples. Predicted deviations are of a new
    measurement, noise included. On public tables their 90 % intervals hold 77-92 % of the values at 20 samples: below
    about 50 they are no promise.
    """

    def __init__(
        self,
        kernels: Sequence[Kernel],
        standardised: Sequence[str],
        inputs: Mapping[str, Array],
        values: Array,
        hyper: Array,
    ) -> None:
        self.kernels, self.standardised, self.inputs = tuple(kernels), tuple(standardised), dict(inputs)
        self.values, self.hyper = values, hyper
        self._sum = KernelSum(kernels)
        self._scalings = {name: Scaling.of(rows, name in self.standardised) for name, rows in self.inputs.items()}
        self._rows = self._scaled(self.inputs)
        self._mean, self._spread = _moments(values)
        noise = float(np.exp(hyper[-1]))
        covariance = self._sum.matrix(hyper, self._rows, self._rows) + noise * np.eye(len(values))
        _, self._inverse = invert(covariance)
        self._weights = self._inverse @ ((values - self._mean) / self._spread)

    @classmethod
    def fit(
        cls, kernels: Sequence[Kernel], standardised: Sequence[str], inputs: Mapping[str, Array], values: Array
    ) -> GaussianProcess:
        """Return the process whose hyper-parameters are most probable given ``values``.

        Beyond 300 samples the hyper-parameters are those of 300 evenly spaced ones: they hardly move from there on,
        and the search for them is what takes time.

        Args:
            kernels: the terms of the covariance.
            standardised: the groups whose columns are divided by their standard deviation; others are centred only.
            inputs: group -> (n, d) matrix.
            values: (n,).
        """
        from scipy.optimize import minimize

        covariance = KernelSum(kernels)
        rows = {name: Scaling.of(matrix, name in standardised)(matrix) for name, matrix in inputs.items()}
        mean, spread = _moments(values)
        chosen = np.unique(np.linspace(0, len(values) - 1, MAX_HYPER_SAMPLES).round().astype(np.intp))
        few = {name: matrix[chosen] for name, matrix in rows.items()}
        objective = covariance.objective(few, (values[chosen] - mean) / spread)
        start = covariance.prior()
        best = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=covariance.bounds())
        return cls(kernels, standardised, inputs, values, np.asarray(best.x, dtype=np.float64))

    def predict(self, inputs: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return (mean, standard deviation), each (m,), of new rows.

        Raises:
            UsageError: a group is missing or has another number of columns than the samples.
        """
        for name, samples in self.inputs.items():
            given = inputs[name].shape[1]
            if given != samples.shape[1]:
                raise UsageError(f"{name} has {given} columns: the model was fitted on {samples.shape[1]}")
        num = len(next(iter(inputs.values())))
        parts = [
            self._standardised({name: inputs[name][part] for name in self.inputs}) for part in chunks(num, CHUNK_ROWS)
        ]
        mean, variance = (np.concatenate(each) for each in zip(*parts, strict=True))
        return self._mean + self._spread * mean, self._spread * np.sqrt(variance)

    def _standardised(self, inputs: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return (mean, variance), each (m,), in units of the samples' spread."""
        rows = self._scaled(inputs)
        cross = self._sum.matrix(self.hyper, rows, self._rows)
        explained = np.einsum("ij,ij->i", cross @ self._inverse, cross)
        variance = np.maximum(self._sum.diagonal(self.hyper, rows) - explained, 0.0) + float(np.exp(self.hyper[-1]))
        return cross @ self._weights, variance

    def leave_one_out(self) -> Validation:
        """Return each sample predicted from the others, hyper-parameters kept (Rasmussen and Williams, 5.10-5.12)."""
        diagonal = np.diag(self._inverse)
        predicted = self.values - self._spread * self._weights / diagonal
        deviation = self._spread / np.sqrt(diagonal)
        return Validation(actual=self.values, predicted=predicted, deviation=deviation)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, the inverse of ``from_dict``."""
        return {
            "kernels": [asdict(kernel) for kernel in self.kernels],
            "standardised": list(self.standardised),
            "inputs": {name: rows.tolist() for name, rows in self.inputs.items()},
            "values": self.values.tolist(),
            "hyper": self.hyper.tolist(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> GaussianProcess:
        """Return the process of ``to_dict``'s data; it predicts the same numbers.

        Raises:
            UsageError: a key is missing or holds something else.
        """
        try:
            return cls(
                kernels=[Kernel(**kernel) for kernel in content["kernels"]],
                standardised=content["standardised"],
                inputs={name: np.array(rows, dtype=np.float64) for name, rows in content["inputs"].items()},
                values=np.array(content["values"], dtype=np.float64),
                hyper=np.array(content["hyper"], dtype=np.float64),
            )
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise UsageError(
                f"the predictor can't be read ({type(error).__name__}: {error}): "
                "expected keys kernels, standardised, inputs, values, hyper; fit it again"
            ) from None

    def _scaled(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {name: scaling(inputs[name]) for name, scaling in self._scalings.items()}


def _moments(values: Array) -> tuple[float, float]:
    """Return (mean, standard deviation); deviation 1 when all values are equal."""
    return float(values.mean()), float(values.std()) or 1.0
