import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad

from predictors.kernels import CONSTANT, Kernel, KernelSum, invert

KERNELS = (Kernel("linear", "a"), Kernel("rbf", "a", -1.0), Kernel("rbf", "b"), Kernel("linear", "b", -1.0))
RNG = np.random.default_rng(0)
ROWS = {"a": RNG.normal(size=(9, 3)), "b": RNG.normal(size=(9, 5))}
VALUES = RNG.normal(size=9)


def test_the_covariance_is_what_the_formula_says():
    covariance = KernelSum([Kernel("linear", "a"), Kernel("rbf", "b")])
    hyper = np.array([0.3, -0.2, 0.5, -4.0])
    found = covariance.matrix(hyper, ROWS, {name: rows[:4] for name, rows in ROWS.items()})
    for i, j in ((0, 0), (5, 2), (8, 3)):
        linear = np.exp(0.3) * ROWS["a"][i] @ ROWS["a"][j] / 3
        distance = np.sum((ROWS["b"][i] - ROWS["b"][j]) ** 2) / 5
        assert found[i, j] == pytest.approx(linear + np.exp(-0.2) * np.exp(-distance / (2 * np.exp(1.0))) + CONSTANT)


def test_the_diagonal_is_that_of_the_matrix():
    covariance = KernelSum(KERNELS)
    hyper = covariance.prior()
    assert covariance.diagonal(hyper, ROWS) == pytest.approx(np.diag(covariance.matrix(hyper, ROWS, ROWS)))


@given(st.integers(0, 2**32 - 1))
def test_the_gradient_is_that_of_finite_differences(seed):
    covariance = KernelSum(KERNELS)
    objective = covariance.objective(ROWS, VALUES)
    hyper = covariance.prior() + np.random.default_rng(seed).normal(size=7) / 2
    assert check_grad(lambda h: objective(h)[0], lambda h: objective(h)[1], hyper) < 1e-4


def test_prior_and_bounds_fit_each_other():
    covariance = KernelSum(KERNELS)
    low, high = np.array(covariance.bounds()).T
    assert covariance.prior().tolist() == [0.0, -1.0, 0.0, -1.0, 0.0, 0.0, -4.0]
    assert (low < covariance.prior()).all()
    assert (covariance.prior() < high).all()


def test_inverse_and_determinant():
    matrix = ROWS["a"] @ ROWS["a"].T + np.eye(9)
    half_log_determinant, inverse = invert(matrix)
    assert np.allclose(inverse @ matrix, np.eye(9))
    assert half_log_determinant == pytest.approx(np.linalg.slogdet(matrix)[1] / 2)
