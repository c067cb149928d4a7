from __future__ import annotations

import numpy as np
import pytest
from law_points_made import made_points

from scaling.law import LAWS
from scaling.law_fit import _log_prediction, fit_law
from scaling.law_points import Points
from search_spaces.errors import UsageError

POWER, CHINCHILLA = LAWS.get("power"), LAWS.get("chinchilla")
PLANTED = {"a": 5.0, "b": 0.5, "c": 18.0}
SIZES = np.geomspace(0.2, 8, 9)[:, None]


def test_one_wild_point_moves_the_fit_little() -> None:
    points = made_points(POWER, SIZES, PLANTED)
    wild = Points(points.names, points.inputs, points.errors * np.where(np.arange(9) == 4, 0.97, 1.0))
    fit = fit_law(POWER, wild, noise=2.0, num_draws=2)
    assert fit.parameters() == pytest.approx(PLANTED, rel=0.02)


def test_intervals_cover_the_planted_parameters_about_as_often_as_they_say() -> None:
    covered = []
    for seed in range(8):
        points = made_points(POWER, np.geomspace(0.2, 30, 12)[:, None], PLANTED, noise=0.004, seed=seed)
        intervals = fit_law(POWER, points, noise=1.0, num_draws=30, seed=seed).intervals()
        covered.append([intervals[name][0] <= PLANTED[name] <= intervals[name][1] for name in PLANTED])
    assert 0.7 <= np.mean(covered) <= 1.0


def test_predictions_have_wider_intervals_further_out_and_say_when_they_are_too_far() -> None:
    fit = fit_law(POWER, made_points(POWER, SIZES, PLANTED, noise=0.003), noise=1.0, num_draws=60)
    near, far = np.array([[4.0]]), np.array([[400.0]])
    widths = [float(np.subtract(*fit.predict_interval(x)[::-1])[0]) for x in (near, far)]
    assert 0 < widths[0] < widths[1]
    assert fit.too_far(np.array([[8.0 * 8], [8.0 * 8.1]])).tolist() == [False, True]


def test_slopes_are_those_of_the_prediction() -> None:
    vector, logs = np.array([1.0, 0.5, 2.0, 0.4, 0.3]), np.array([[0.3, -0.7], [1.1, 0.2]])
    _, slopes = _log_prediction(CHINCHILLA, vector, logs)
    for index, step in enumerate(1e-6 * np.eye(5)):
        ahead, behind = (_log_prediction(CHINCHILLA, vector + sign * step, logs)[0] for sign in (1, -1))
        assert slopes[index] == pytest.approx((ahead - behind) / 2e-6, abs=1e-8)


def test_a_rising_error_is_not_fitted() -> None:
    with pytest.raises(UsageError, match="not monotone"):
        fit_law(POWER, Points([str(n) for n in range(9)], SIZES, np.linspace(10, 12, 9)))


def test_the_same_seed_gives_the_same_draws() -> None:
    points = made_points(POWER, SIZES, PLANTED, noise=0.003)
    one, same, other = (fit_law(POWER, points, 1.0, num_draws=3, seed=seed).draws for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
