import numpy as np
import pytest

from nas.search.finalists import choose_within
from search_spaces.errors import UsageError

ACCURACY = np.array([90.0, 80.0, 70.0, np.nan, 60.0])
TRUE_MS = np.array([12.0, 9.0, 5.0, 1.0, 2.0])


def choose(predicted_ms, upper_ms=10.0, num=5, deviation_ms=1.0):
    timed = []

    def measure(row):
        timed.append(row)
        return float(TRUE_MS[row])

    found = choose_within(
        ACCURACY, upper_ms, lambda _: (np.array(predicted_ms), np.full(5, deviation_ms)), measure, num
    )
    assert list(found.measured_ms) == timed
    return found


def test_a_network_that_only_the_prediction_lets_pass_is_timed_and_not_chosen():
    found = choose([9.0, 8.0, 5.0, 1.0, 2.0])
    assert found.chosen == 1
    assert found.measured_ms == {0: 12.0, 1: 9.0}


def test_what_can_not_be_better_is_not_timed():
    assert choose([30.0, 8.0, 5.0, 1.0, 2.0]).measured_ms == {1: 9.0}


def test_a_likely_small_gain_goes_before_an_unlikely_large_one():
    assert next(iter(choose([12.5, 9.5, 4.0, 1.0, 2.0], num=1).measured_ms)) != 0


def test_no_network_within_the_bound_is_no_choice():
    found = choose([9.0, 8.0, 5.0, 1.0, 2.0], upper_ms=1.5, deviation_ms=100.0)
    assert found.chosen is None
    assert 3 not in found.measured_ms


def test_what_was_timed_is_told_to_the_model():
    told = []

    def predict(measured):
        told.append(dict(measured))
        return np.array([9.0, 8.0, 5.0, 1.0, 2.0]), np.ones(5)

    choose_within(ACCURACY, 10.0, predict, lambda row: float(TRUE_MS[row]), 2)
    assert told == [{}, {0: 12.0}]


def test_bad_input_is_named():
    with pytest.raises(UsageError, match="finalists is 0 and the bound 10 ms"):
        choose([1.0] * 5, num=0)
    with pytest.raises(UsageError, match="the bound 0 ms"):
        choose([1.0] * 5, upper_ms=0.0)
