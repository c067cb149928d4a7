"""Covariance functions over named groups of columns, and the likelihood of their hyper-parameters.

    k = sum_i exp(v_i) * K_i + 0.05 + exp(v_noise) * I

with K linear, ``A B' / d``, or RBF, ``exp(-|a - b|^2 / (2 d exp(2 s)))``, for d columns: groups of any width compare.
The constant stands for the unknown mean of standardised values. Each hyper-parameter has the prior N(prior, 2).
Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), equations 2.30, 5.8 and 5.9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CONSTANT = 0.05
PRIOR_VARIANCE = 4.0
PRIOR_LOG_NOISE = -4.0
# The smallest noise keeps the matrix far from singular in float64.
LOG_NOISE_RANGE = (-11.5, 2.0)
LOG_VARIANCE_RANGE = (-8.0, 4.0)
LOG_LENGTH_RANGE = (-2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Kernel:
    """One term: its kind, the group of columns that it reads and its log variance a priori."""

    kind: Literal["linear", "rbf"]
    group: str
    prior_log_variance: float = 0.0


class KernelSum:
    """The sum over ``kernels`` without its noise. Hyper-parameters: log variances, log lengths of RBFs, log noise."""

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        self.kernels = tuple(kernels)
        self._rbf = [index for index, kernel in enumerate(self.kernels) if kernel.kind == "rbf"]

    def prior(self) -> Array:
        """Return the prior means, (number of hyper-parameters,)."""
        variances = [kernel.prior_log_variance for kernel in self.kernels]
        return np.array([*variances, *[0.0] * len(self._rbf), PRIOR_LOG_NOISE])

    def bounds(self) -> list[tuple[float, float]]:
        """Return (least, most) of each hyper-parameter."""
        variances, lengths = [LOG_VARIANCE_RANGE] * len(self.kernels), [LOG_LENGTH_RANGE] * len(self._rbf)
        return [*variances, *lengths, LOG_NOISE_RANGE]

    def matrix(self, hyper: Array, left: Mapping[str, Array], right: Mapping[str, Array]) -> Array:
        """Return the covariance of the rows of ``left`` and ``right``, (n, m)."""
        total = np.full((_num_rows(left), _num_rows(right)), CONSTANT)
        products, distances = self._bases(left, right)
        for index, kernel in enumerate(self.kernels):
            base = products[kernel.group] if kernel.kind == "linear" else distances[kernel.group]
            total += self._part(index, hyper, base)
        return total

    def diagonal(self, hyper: Array, rows: Mapping[str, Array]) -> Array:
        """Return the covariance of each row with itself, (n,)."""
        total = np.full(_num_rows(rows), CONSTANT)
        for index, kernel in enumerate(self.kernels):
            matrix = rows[kernel.group]
            linear = np.einsum("ij,ij->i", matrix, matrix) / matrix.shape[1] if kernel.kind == "linear" else 1.0
            total += np.exp(hyper[index]) * linear
        return total

    def objective(self, rows: Mapping[str, Array], values: Array) -> Callable[[Array], tuple[float, Array]]:
        """Return the function from hyper-parameters to (negative log posterior, gradient) given ``values``, (n,)."""
        products, distances = self._bases(rows, rows)
        bases = [(products if kernel.kind == "linear" else distances)[kernel.group] for kernel in self.kernels]
        prior = self.prior()

        def negative_log_posterior(hyper: Array) -> tuple[float, Array]:
            parts = [self._part(index, hyper, base) for index, base in enumerate(bases)]
            slopes = [*parts, *(parts[i] * bases[i] * np.exp(-2 * hyper[self._length(i)]) for i in self._rbf)]
            noise = float(np.exp(hyper[-1]))
            covariance = CONSTANT + sum(parts) + noise * np.eye(len(values))
            half_log_determinant, inverse = invert(covariance)
            weights = inverse @ values
            residue = inverse - np.outer(weights, weights)
            gradient = np.array([0.5 * np.vdot(residue, slope) for slope in slopes] + [0.5 * noise * np.trace(residue)])
            distance = hyper - prior
            loss = 0.5 * values @ weights + half_log_determinant + distance @ distance / (2 * PRIOR_VARIANCE)
            return float(loss), gradient + distance / PRIOR_VARIANCE

        return negative_log_posterior

    def _length(self, index: int) -> int:
        return len(self.kernels) + self._rbf.index(index)

    def _part(self, index: int, hyper: Array, base: Array) -> Array:
        """Return one term from its products (linear) or squared distances (RBF)."""
        part: Array
        if self.kernels[index].kind == "linear":
            part = base * np.exp(hyper[index])
        else:
            part = base * (-0.5 * np.exp(-2 * hyper[self._length(index)]))
            part += hyper[index]
            np.exp(part, out=part)
        return part

    def _bases(
        self, left: Mapping[str, Array], right: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return (products, squared distances) of all pairs of rows by group, divided by the number of columns."""
        groups = {kernel.group for kernel in self.kernels}
        products = {group: left[group] @ (right[group].T / right[group].shape[1]) for group in groups}
        curved = {self.kernels[index].group for index in self._rbf}
        return products, {group: _distances(left[group], right[group], products[group]) for group in curved}


def invert(covariance: Array) -> tuple[float, Array]:
    """Return (half the log determinant, inverse) of a symmetric positive definite matrix."""
    from scipy.linalg.lapack import dpotri

    factor = np.linalg.cholesky(covariance)
    inverse, info = dpotri(factor, lower=1)
    assert info == 0
    return float(np.log(np.diag(factor)).sum()), np.tril(inverse) + np.tril(inverse, -1).T


def _distances(left: Array, right: Array, products: Array) -> Array:
    distances = -2.0 * products
    distances += np.einsum("ij,ij->i", left, left)[:, None] / left.shape[1]
    distances += np.einsum("ij,ij->i", right, right) / right.shape[1]
    return np.maximum(distances, 0.0, out=distances)


def _num_rows(rows: Mapping[str, Array]) -> int:
    return len(next(iter(rows.values())))
