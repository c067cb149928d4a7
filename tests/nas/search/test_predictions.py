import numpy as np
import pytest

from nas.search.predictions import Prediction

LOCATION, DEVIATION = np.array([0.3, 1.2, 0.7]), np.array([0.4, 0.2, 0.0])


@pytest.mark.parametrize("is_log", [False, True])
def test_closed_forms_agree_with_draws(is_log):
    prediction = Prediction(LOCATION, DEVIATION, is_log)
    # Many equally probable quantiles stand for the distribution.
    from scipy.special import ndtri

    values = prediction.quantile(ndtri((np.arange(200_000) + 0.5) / 200_000))
    np.testing.assert_allclose(prediction.mean, values.mean(axis=1), rtol=1e-4)
    for threshold in (0.5, 1.5, 3.0):
        shortfall = np.maximum(threshold - values, 0.0).mean(axis=1)
        np.testing.assert_allclose(prediction.shortfall(threshold), shortfall, rtol=1e-3, atol=1e-7)
        below = (values <= threshold).mean(axis=1)
        np.testing.assert_allclose(prediction.probability_below(threshold), below, atol=1e-4)


def test_a_known_value_is_at_its_own_bound():
    known = Prediction(np.array([2.0]), np.zeros(1))
    assert known.probability_below(2.0) == 1.0
    assert known.probability_below(1.9) == 0.0
    np.testing.assert_allclose(known.shortfall(5.0), 3.0)


def test_no_positive_value_is_below_zero():
    prediction = Prediction(LOCATION, DEVIATION, is_log=True)
    np.testing.assert_array_equal(prediction.shortfall(0.0), np.zeros(3))
    np.testing.assert_array_equal(prediction.probability_below(-1.0), np.zeros(3))
    assert len(prediction[np.array([0, 2])]) == 2
