import numpy as np
import pytest
from scipy.stats import norm, t

from predictors.intervals import scale_of, upper_factor
from predictors.validation import Validation
from search_spaces.errors import UsageError


def check(num, size=1.0, seed=0):
    residuals = size * np.random.default_rng(seed).normal(size=num)
    return Validation(10.0 + residuals, np.full(num, 10.0), np.ones(num))


def test_residuals_as_expected_change_nothing_and_larger_ones_stretch():
    assert scale_of(check(1000)) == pytest.approx(1.0, abs=0.1)
    assert scale_of(check(1000, 2.0)) > 1.5
    assert scale_of(check(1000, 0.1)) < 0.5
    assert scale_of(check(3, 0.1)) > 0.85


def test_one_wild_residual_does_not_decide():
    wild = check(20)
    wild.actual[3] = 1e6
    assert scale_of(wild) < 1.2


def test_a_limit_is_the_conformal_quantile():
    many = check(999)
    residuals = np.sort(many.actual - 10.0)
    assert upper_factor(many, 0.95) == max(residuals[949], norm.ppf(0.95))
    assert upper_factor(many, 0.95, scale=0.5) == residuals[949] / 0.5


def test_few_residuals_give_a_wider_limit():
    assert upper_factor(check(10), 0.95) == t.ppf(0.95, 9)
    assert upper_factor(check(3), 0.95) > upper_factor(check(10), 0.95) > upper_factor(check(999), 0.95)


def test_limits_hold_as_often_as_they_say():
    held = [
        np.mean(check(2000, seed=seed + 50).actual - 10 <= upper_factor(check(40, seed=seed), 0.9))
        for seed in range(50)
    ]
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize("confidence", [0.4, 1.0])
def test_another_confidence_is_refused(confidence):
    with pytest.raises(UsageError, match=r"give at least 0.5 and less than 1"):
        upper_factor(check(5), confidence)
