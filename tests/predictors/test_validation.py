import math

import numpy as np
import pytest

from predictors.validation import Validation


def validation(actual, predicted, deviation=1.0):
    actual = np.array(actual, dtype=float)
    return Validation(actual, np.array(predicted, dtype=float), np.full(len(actual), deviation))


def test_figures_of_a_small_case():
    found = validation([1, 2, 4, 8], [2, 2, 5, 4])
    assert found.errors.tolist() == [1, 0, 1, -4]
    assert found.root_mean_square_error == pytest.approx(math.sqrt(18 / 4))
    assert found.median_relative_error == pytest.approx((0.25 + 0.5) / 2)
    assert found.coverage_90 == 0.75
    assert found.kendall_tau == pytest.approx((4 - 1) / math.sqrt(6 * 5))


def test_order_alone_counts_for_ranks():
    assert validation([1, 2, 3], [10, 100, 1000]).kendall_tau == 1.0
    assert validation([1, 2, 3], [3, 2, 1]).spearman == -1.0


def test_a_constant_has_no_order():
    found = validation([1, 2, 3], [5, 5, 5])
    assert math.isnan(found.kendall_tau)
    assert math.isnan(found.spearman)
