from __future__ import annotations

import numpy as np
import pytest
from law_points_made import made_points

from scaling.law import LAWS
from scaling.law_report import law_report
from search_spaces.errors import UsageError

POWER = LAWS.get("power")
POINTS = made_points(POWER, np.geomspace(1, 64, 13)[:, None], {"a": 5.0, "b": 0.5, "c": 18.0}, noise=0.002)
NONE = np.empty((0, 1))


def test_larger_points_are_held_out_and_predicted() -> None:
    report = law_report(POWER, POINTS, NONE, hold_out_above=20.0, noise=1.0, num_draws=20)
    assert report["fitted_points"] == 9
    assert [row["point"] for row in report["held_out"]] == ["row 9", "row 10", "row 11", "row 12"]
    misses = [abs(row["predicted"] - row["measured"]) for row in report["held_out"]]
    assert report["held_out_largest_miss"] == pytest.approx(max(misses))
    assert report["warnings"] == []
    assert [row["name"] for row in report["parameters"]] == ["a", "b", "c"]


def test_predictions_beyond_eight_times_are_flagged() -> None:
    report = law_report(POWER, POINTS, np.array([[500.0], [600.0]]), noise=1.0, num_draws=20)
    assert [row["too_far"] for row in report["predictions"]] == [False, True]
    (warning,) = report["warnings"]
    assert "less than an eighth of the range: 600" in warning


def test_holding_out_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no cost is above 100 \(the largest is 64\)"):
        law_report(POWER, POINTS, NONE, hold_out_above=100.0)
