import json

import numpy as np
import pytest

from predictors.lines import ANALYTIC_DEVIATION, Analytic, Line, OneConstant, Straight, column_ms
from search_spaces.errors import UsageError

COLUMN = {"sister": np.linspace(1.0, 20.0, 12)[:, None]}
SISTER = COLUMN["sister"][:, 0]


def test_the_analytic_column_is_predicted_as_it_is():
    mean, deviation = Analytic("sister").fit(COLUMN, np.array([])).predict_inputs(COLUMN)
    assert (mean == SISTER).all()
    assert deviation == pytest.approx(ANALYTIC_DEVIATION * SISTER)


def test_one_constant_is_the_median_ratio():
    latency_ms = 0.6 * SISTER
    latency_ms[3] *= 50
    mean, _ = OneConstant("sister").fit(COLUMN, latency_ms).predict_inputs({"sister": [[10.0]]})
    assert mean == pytest.approx([6.0])


def test_a_line_has_a_fixed_time_and_neither_part_is_negative():
    found = Line("sister").fit(COLUMN, 3.0 + 0.5 * SISTER)
    assert (found.offset_ms, found.slope) == pytest.approx((3.0, 0.5))
    falling = Line("sister").fit(COLUMN, 30.0 - SISTER)
    assert falling.slope == 0
    assert (falling.predict_inputs(COLUMN)[0] > 0).all()


def test_scatter_widens_the_deviation():
    noisy = SISTER * np.exp(np.random.default_rng(0).normal(0, 0.5, 12))
    calm, wild = (OneConstant("sister").fit(COLUMN, y).relative_deviation for y in (SISTER, noisy))
    assert 0 < calm < 0.1 < 0.3 < wild


def test_a_limit_holds_what_was_left_out_and_needs_two_measurements():
    noisy = SISTER * np.exp(np.random.default_rng(0).normal(0, 0.2, 12))
    found = OneConstant("sister").fit(COLUMN, noisy)
    assert found.leave_one_out().actual.tolist() == noisy.tolist()
    assert (found.upper_ms(COLUMN) > found.predict_inputs(COLUMN)[0]).all()
    with pytest.raises(UsageError, match="a limit needs 2 measurements at least"):
        OneConstant("sister").fit({"sister": [[2.0]]}, np.array([1.0])).upper_ms(COLUMN)


def test_a_stored_line_predicts_the_same():
    found = Line("sister").fit(COLUMN, 3.0 + 0.5 * SISTER)
    again = Straight.from_dict(json.loads(json.dumps(found.to_dict())))
    assert (again.predict_inputs(COLUMN)[0] == found.predict_inputs(COLUMN)[0]).all()
    assert (again.upper_ms(COLUMN) == found.upper_ms(COLUMN)).all()
    with pytest.raises(UsageError, match=r"can't be read .*expected keys column"):
        Straight.from_dict({"column": "sister"})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"other": [[1.0]]}, "column 'sister' is missing: given: other"),
        ({"sister": [[1.0, 2.0]]}, "give one column"),
        ({"sister": [[0.0], [1.0]]}, "1 of 2 rows are not above zero"),
    ],
)
def test_a_column_that_can_not_be_is_refused(inputs, message):
    with pytest.raises(UsageError, match=message):
        column_ms(inputs, "sister")
