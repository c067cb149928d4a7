import numpy as np
import pytest

from predictors.samples import as_inputs, check_samples
from search_spaces.errors import UsageError

ROWS = np.arange(12.0).reshape(6, 2)
VALUES = np.arange(1.0, 7.0)


def check(values=VALUES, rows=ROWS, minimum=5, positive=True):
    return check_samples({"features": rows}, "latency_ms", values, minimum, positive)


def with_value(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


def test_good_samples_become_float64():
    inputs, values = check(values=list(range(1, 7)), rows=ROWS.astype(np.float32))
    assert values.dtype == inputs["features"].dtype == np.float64
    assert values.tolist() == VALUES.tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted_and_named(value):
    bad = with_value(with_value(VALUES, 2, value), 5, np.nan)
    with pytest.raises(UsageError, match=r"latency_ms: 2 of 6 rows are not finite \(rows 2, 5\)"):
        check(bad)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_latencies_of_zero_or_less_are_refused(value):
    with pytest.raises(UsageError, match=r"latency_ms: 1 of 6 rows are not above zero \(rows 4\)"):
        check(with_value(VALUES, 4, value))
    check(with_value(VALUES, 4, value), positive=False)


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(UsageError, match=r"features: 1 of 6 rows are not finite \(rows 3\)"):
        check(rows=with_value(ROWS, (3, 1), np.nan))


def test_a_network_that_stands_twice_is_refused():
    with pytest.raises(
        UsageError, match=r"2 of 6 rows repeat .* \(rows 4, 5; row 4 is row 1\): give each network once"
    ):
        check(rows=ROWS[[0, 1, 2, 3, 1, 0]])


def test_many_rows_are_not_all_named():
    with pytest.raises(UsageError, match=r"20 of 20 rows are not finite \(rows 0, 1, 2, 3, 4, \.\.\.\)"):
        check(np.full(20, np.nan))


def test_too_few_samples_are_refused():
    with pytest.raises(UsageError, match="latency_ms has 4 samples: give at least 5"):
        check(VALUES[:4], ROWS[:4])
    with pytest.raises(UsageError, match="latency_ms has 0 samples"):
        check(VALUES[:0], ROWS[:0])


def test_numbers_of_rows_that_differ_are_refused():
    with pytest.raises(UsageError, match="features 6, latency_ms 5"):
        check(VALUES[:5])
    with pytest.raises(UsageError, match="features 6, one_hot 3"):
        as_inputs({"features": ROWS, "one_hot": ROWS[:3]})


@pytest.mark.parametrize("shape", [(6,), (6, 2, 1)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(UsageError, match=r"features has shape .* give a matrix"):
        check(rows=np.ones(shape))
    with pytest.raises(UsageError, match=r"latency_ms has shape .* give one value"):
        check(values=np.ones((6, 1)))
