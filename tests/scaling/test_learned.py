from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from scaling.learned import Array, ShapeTable, _log_error, best_growth, fit_shape
from search_spaces.errors import UsageError

SPANS = np.array([0.55, 0.35, 0.3])
MIDDLE = np.array([2.0, 50.0, 20.0])


def vector_of(alpha: tuple[float, ...], amplitudes: tuple[float, ...], floor: float) -> Array:
    """Return the parameters of errors ``floor + sum A_k exp(-alpha_k x_k)``."""
    level = np.log(sum(amplitudes) + floor)
    return np.array([level, *np.log(alpha), *np.log(np.array(amplitudes) / floor)])


def table_of(vector: Array, kappa: tuple[float, ...], num: int = 150, noise: float = 0.03, seed: int = 0) -> ShapeTable:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (num, 3)) * SPANS
    errors = np.exp(_log_error(vector, x)[0] + rng.normal(0, noise, num))
    return ShapeTable(np.exp(x) * MIDDLE, errors, np.exp(x @ kappa + rng.normal(0, 0.05, num)))


BALANCED = vector_of((0.5, 1.0, 1.0), (4.0, 4.0, 4.0), 8.0)
WIDE = vector_of((0.5, 1.0, 1.0), (1.0, 8.0, 2.0), 9.0)
DEEP = vector_of((0.5, 1.0, 1.0), (10.0, 2.0, 1.0), 7.0)


def test_slopes_are_those_of_the_error() -> None:
    x = np.random.default_rng(0).normal(0, 0.4, (5, 3))
    _, slopes = _log_error(DEEP, x)
    for index, step in enumerate(1e-6 * np.eye(7)):
        ahead, behind = (_log_error(DEEP + sign * step, x)[0] for sign in (1, -1))
        assert slopes[index] == pytest.approx((ahead - behind) / 2e-6, abs=1e-7)


@pytest.mark.parametrize("vectors", [[BALANCED], [WIDE], [DEEP], [BALANCED, WIDE, DEEP]])
def test_best_growth_is_the_least_mean_error_of_its_cost(vectors: list[Array]) -> None:
    kappa, log_cost = np.array([1.0, 1.5, 2.0]), np.log(8.0)

    def mean_error(x: Array) -> float:
        return float(np.mean([np.exp(_log_error(vector, x[None])[0][0]) for vector in vectors]))

    found = best_growth(np.array(vectors), kappa, log_cost)
    assert kappa @ found == pytest.approx(log_cost)
    assert (found >= 0).all()
    constraint = {"type": "eq", "fun": lambda x: kappa @ x - log_cost}
    best = minimize(mean_error, log_cost / kappa / 3, bounds=[(0, None)] * 3, constraints=constraint, method="SLSQP")
    assert mean_error(found) <= best.fun + 1e-6


@pytest.mark.parametrize(
    ("vector", "kappa", "first"), [(WIDE, (1.0, 1.3, 2.0), 1), (DEEP, (0.6, 2.0, 2.0), 0)], ids=["wide", "deep"]
)
def test_the_dimension_that_pays_is_found(vector: Array, kappa: tuple[float, ...], first: int) -> None:
    fit = fit_shape(table_of(vector, kappa, num=80), num_draws=4)
    assert fit.exponents.argmax() == first
    assert np.array(kappa) @ fit.exponents == pytest.approx(1.0, rel=0.05)
    assert fit.cost_exponents == pytest.approx(kappa, rel=0.1)
    assert fit.rmse_log_error == pytest.approx(0.03, rel=0.3)


def test_intervals_hold_the_truth_and_are_wide_where_the_data_tells_little() -> None:
    kappa = (1.0, 2.0, 2.0)
    truth = best_growth(BALANCED[None], np.array(kappa), np.log(4.0)) / np.log(4.0)
    told = fit_shape(table_of(BALANCED, kappa, num=200, noise=0.01), num_draws=12)
    blurred = fit_shape(table_of(BALANCED, kappa, num=60, noise=0.1), num_draws=12)
    assert (told.low <= truth + 0.02).all()
    assert (truth <= told.high + 0.02).all()
    assert (blurred.high - blurred.low).sum() > (told.high - told.low).sum()


def test_the_same_seed_gives_the_same_rule() -> None:
    table = table_of(BALANCED, (1.0, 2.0, 2.0), num=40)
    one, same = (fit_shape(table, num_draws=4, seed=3) for _ in range(2))
    assert np.array_equal(one.low, same.low)


TABLE = table_of(BALANCED, (1.0, 2.0, 2.0), num=60)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (ShapeTable(TABLE.shapes[:29], TABLE.errors[:29], TABLE.costs[:29]), "29 networks are too few"),
        (replace(TABLE, errors=TABLE.errors * 0), "an entry of the errors in the table is not positive"),
        (replace(TABLE, shapes=TABLE.shapes * [1, 0, 1] + [0, 7, 0]), "width varies by a factor of 1 in the table"),
        (replace(TABLE, shapes=TABLE.shapes[:, [0, 0, 2]]), "depth and width move together"),
        (replace(TABLE, costs=1 / TABLE.costs), "does not grow with depth"),
    ],
)
def test_tables_that_teach_nothing_are_refused(table: ShapeTable, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fit_shape(table, num_draws=2)


@pytest.mark.parametrize("growth", [1.0, 0.5, float("inf"), float("nan")])
def test_a_growth_that_is_none_is_refused(growth: float) -> None:
    with pytest.raises(UsageError, match="growth got"):
        fit_shape(TABLE, growth)
