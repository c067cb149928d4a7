from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f_oneway, ttest_rel

from scaling.equal_cost import Curve, common_costs, smallest_difference

CURVE = Curve(np.array([4.0, 1.0, 2.0]), np.array([[90.0, 80.0, 86.0], [91.0, 82.0, 86.0]]))


def test_accuracy_is_read_off_linearly_in_the_log_of_the_cost() -> None:
    assert CURVE.at(2.0) == pytest.approx([86.0, 86.0])
    assert CURVE.at(np.sqrt(2.0)) == pytest.approx([83.0, 84.0])


@pytest.mark.parametrize("cost", [0.9, 4.1])
def test_nothing_is_read_off_beyond_the_networks(cost: float) -> None:
    assert np.isnan(CURVE.at(cost)).all()


def test_common_costs_lie_inside_every_curve() -> None:
    slower = Curve(np.array([1.0, 3.0, 9.0]), CURVE.accuracies)
    found = common_costs({"one": CURVE, "other": slower}, 2)
    assert found == pytest.approx([2.0, 4.0])
    assert all(np.isfinite(curve.at(cost)).all() for curve in (CURVE, slower) for cost in found)


def test_no_cost_is_common_where_a_curve_ends_before_another_begins() -> None:
    later = Curve(np.array([5.0, 6.0, 7.0]), CURVE.accuracies)
    assert common_costs({"one": CURVE, "other": later}, 2) == []


def test_of_one_seed_no_difference_is_shown() -> None:
    assert smallest_difference(np.array([[90.0, 91.0, 92.0]])) is None


def test_two_networks_are_told_apart_as_a_paired_t_test_tells_them() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(90, 1, 6)
    gains = rng.normal(0, 0.3, 6)
    least = smallest_difference(np.column_stack([first, first + gains]))
    assert least is not None
    at_the_edge = first + gains - gains.mean() + least
    assert ttest_rel(at_the_edge, first).pvalue == pytest.approx(0.05)


def test_a_good_seed_is_no_noise() -> None:
    rng = np.random.default_rng(1)
    accuracies = rng.normal(80, 0.2, (3, 8))
    lifted = accuracies + np.array([[0.0], [5.0], [-3.0]])
    assert smallest_difference(lifted) == pytest.approx(smallest_difference(accuracies))
    assert f_oneway(*lifted).pvalue < 0.001
