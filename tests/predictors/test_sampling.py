import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.encoding import Group
from predictors.latency import LatencyPrior
from predictors.sampling import SAMPLERS, choose, resolved, weighted_rows
from search_spaces.errors import UsageError

RNG = np.random.default_rng(0)
POPULATION = {"totals": RNG.normal(size=(500, 4))}
PRIOR = LatencyPrior.of([Group("totals", trend=True)], POPULATION)
ROWS = PRIOR.encoding(POPULATION)


@given(st.sampled_from(SAMPLERS), st.integers(1, 30), st.integers(0, 5))
def test_samples_are_distinct_and_the_same_in_every_call(sampler, num, seed):
    chosen = choose(sampler, PRIOR, ROWS, num, seed)
    assert len(set(chosen.tolist())) == num
    assert (chosen == choose(sampler, PRIOR, ROWS, num, seed)).all()


def remaining(chosen):
    """The mean variance that is left when these were measured."""
    rows = weighted_rows(PRIOR, ROWS)
    few = rows[chosen]
    covariance = few @ few.T + 0.06 * np.eye(len(few))
    explained = np.einsum("ij,ij->i", rows @ few.T @ np.linalg.inv(covariance), rows @ few.T)
    return float((np.einsum("ij,ij->i", rows, rows) - explained).mean())


@pytest.mark.parametrize("sampler", ["information", "variance"])
def test_what_is_chosen_leaves_less_unknown_than_chance(sampler):
    random = np.mean([remaining(choose("random", PRIOR, ROWS, 6, seed)) for seed in range(10)])
    assert remaining(choose(sampler, PRIOR, ROWS, 6, 0)) < 0.7 * random


def test_best_is_another_where_few_are_measured():
    assert (resolved("best", 3), resolved("best", 20), resolved("random", 20)) == ("information", "variance", "random")
    assert (choose("best", PRIOR, ROWS, 20, 1) == choose("variance", PRIOR, ROWS, 20, 1)).all()


def test_kmeans_takes_one_of_each_cluster():
    centres = 10 * np.eye(4)
    population = {"totals": np.repeat(centres, 50, axis=0) + 0.1 * RNG.normal(size=(200, 4))}
    prior = LatencyPrior.of([Group("totals", trend=True)], population)
    found = [choose("kmeans", prior, prior.encoding(population), 8, seed) // 50 for seed in range(5)]
    assert [set(clusters.tolist()) for clusters in found] == [{0, 1, 2, 3}] * 5


def test_what_can_not_be_is_refused():
    with pytest.raises(UsageError, match="unknown sampler 'kmean': did you mean 'kmeans'"):
        choose("kmean", PRIOR, ROWS, 5, 0)
    with pytest.raises(UsageError, match="samples is 501: give at least 1 and at most the 500"):
        choose("random", PRIOR, ROWS, 501, 0)
