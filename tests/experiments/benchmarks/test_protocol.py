from __future__ import annotations

import numpy as np
import pytest

from experiments.benchmarks.protocol import over_seeds, over_targets, scores

ACTUAL = np.array([1.0, 2.0, 3.0, 4.0, 10.0])


def test_the_figures_of_one_fit() -> None:
    found = scores(ACTUAL, ACTUAL * [1.05, 1.0, 1.2, 1.0, 0.8], np.full(5, 0.5))
    assert found["spearman"] == pytest.approx(1.0)
    assert found["kendall"] == pytest.approx(1.0)
    assert found["median_error_percent"] == pytest.approx(5.0)
    assert found["within_10_percent"] == pytest.approx(60.0)
    assert found["coverage_90_percent"] == pytest.approx(80.0)
    assert found["interval_width_percent"] == pytest.approx(100 * 2 * 1.6449 * 0.5 / 4.0)


def test_without_a_deviation_there_is_no_interval() -> None:
    assert set(scores(ACTUAL, ACTUAL, None)) == {"spearman", "kendall", "median_error_percent", "within_10_percent"}


def test_means_over_seeds_and_targets() -> None:
    rows = [{"spearman": 0.9, "within_10_percent": 80.0}, {"spearman": 0.7, "within_10_percent": 60.0}]
    found = over_seeds(rows)
    assert found == pytest.approx({"spearman": 0.8, "spearman_sd": 0.1, "within_10_percent": 70.0})
    assert over_targets([{"target": "a", **found}, {"target": "b", **found}]) == pytest.approx(found)
