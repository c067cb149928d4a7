import numpy as np
import pytest

from predictors.encoding import Encoding, Group
from predictors.hypotheses import SourcePrior, hypotheses

GROUPS = (Group("totals", trend=True), Group("one_hot", -2.0, standardise=False))
RNG = np.random.default_rng(0)
POPULATION = {"totals": RNG.normal(size=(300, 3)), "one_hot": np.eye(4)[RNG.integers(0, 4, 300)]}
ENCODING = Encoding.of(GROUPS, POPULATION)
ROWS = ENCODING(POPULATION)
SOURCES = SourcePrior(RNG.normal(size=(7, 5)), np.log([0.2, 0.25, 0.3, 0.2, 0.22]))


@pytest.mark.parametrize("sources", [None, SOURCES])
def test_priors_are_probabilities_over_trends_of_variance_one(sources):
    found = hypotheses(ENCODING, ROWS, sources)
    assert np.exp(found.log_prior).sum() == pytest.approx(1.0)
    assert np.exp(found.log_scale_prior).sum() == pytest.approx(1.0)
    assert (ROWS @ found.trends).std(axis=0) == pytest.approx(np.ones(found.trends.shape[1]))
    assert len(found.weights) == len(found.noise) == len(found.trend) == len(found.log_prior)
    assert (found.weights > 0).all()
    assert (found.noise > 0).all()


def test_without_sources_a_trend_is_a_total_or_their_mean():
    found = hypotheses(ENCODING, ROWS)
    assert found.trends.shape == (7, 4)
    assert (found.trends[3:] == 0).all()
    assert np.count_nonzero(found.trends, axis=0).tolist() == [3, 1, 1, 1]
    assert len(found.maps) == 2


def test_sources_add_their_mean_each_of_them_and_a_group_of_what_they_differ_in():
    found = hypotheses(ENCODING, ROWS, SOURCES)
    assert found.trends.shape == (7, 1 + 5 + 4)
    assert len(found.maps) == 3
    differences = ROWS @ found.maps[-1]
    assert (differences**2).sum(axis=1).mean() == pytest.approx(1.0)
    assert found.scales.min() < 0.2 < found.scales.max()


def test_one_source_differs_from_nothing():
    found = hypotheses(ENCODING, ROWS, SourcePrior(SOURCES.coefficients[:, :1], SOURCES.log_spread[:1]))
    assert np.isfinite(found.weights).all()
    assert (found.maps[-1] == 0).all()


def test_the_same_call_gives_the_same_draws():
    assert (hypotheses(ENCODING, ROWS).weights == hypotheses(ENCODING, ROWS).weights).all()


def test_where_no_group_is_a_trend_the_mean_of_all_columns_is():
    encoding = Encoding.of([Group("one_hot", standardise=False)], POPULATION)
    assert hypotheses(encoding, encoding(POPULATION)).trends.shape == (4, 1)
