import numpy as np
import pytest

from predictors.sources import source_prior
from search_spaces.errors import UsageError

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(500, 4)) / 2
SLOPES = np.array([1.0, -2.0, 0.5, 0.0])
LATENCY_MS = 50.0 + 5 * ROWS @ SLOPES + 0.1 * RNG.normal(size=500)


def test_a_source_is_its_standardised_linear_model():
    found = source_prior(ROWS, {"card": LATENCY_MS})
    assert found.coefficients[:, 0] * LATENCY_MS.std() == pytest.approx(5 * SLOPES, abs=0.15)
    assert np.exp(found.log_spread[0]) == pytest.approx(LATENCY_MS.std() / np.median(LATENCY_MS), rel=0.05)


def test_a_few_disturbed_timings_change_little():
    disturbed = LATENCY_MS.copy()
    disturbed[7] = 5000.0
    clean, dirty = (source_prior(ROWS, {"card": values}).coefficients for values in (LATENCY_MS, disturbed))
    assert dirty == pytest.approx(clean, abs=0.1)


def test_a_source_that_can_not_be_is_named():
    with pytest.raises(UsageError, match="source card: 1 of 500 rows are not above zero"):
        source_prior(ROWS, {"fine": LATENCY_MS, "card": np.where(np.arange(500) == 3, 0.0, LATENCY_MS)})
    with pytest.raises(UsageError, match="source card has 40 samples: give at least 50"):
        source_prior(ROWS[:40], {"card": LATENCY_MS[:40]})


def test_a_source_that_never_varies_says_nothing():
    found = source_prior(ROWS, {"card": np.full(500, 3.0)})
    assert found.coefficients[:, 0] == pytest.approx(np.zeros(4), abs=1e-9)
    assert np.isfinite(found.log_spread).all()
