import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.search.acquisition import choose_batch, hypervolume_improvement, staircase
from nas.search.pareto import hypervolume
from nas.search.predictions import Prediction

REFERENCE = np.array([1.0, 1.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 6))
def test_a_known_point_adds_what_the_hypervolume_says(seed, num):
    rng = np.random.default_rng(seed)
    front, points = rng.uniform(0, 1.2, (num, 2)), rng.uniform(0, 1.2, (5, 2))
    exact = [Prediction(column, np.zeros(5)) for column in points.T]
    gain = hypervolume_improvement(exact, front, REFERENCE, rng)
    before = hypervolume(front, REFERENCE)
    after = [hypervolume(np.concatenate([front, point[None]]), REFERENCE) for point in points]
    np.testing.assert_allclose(gain, np.array(after) - before, atol=1e-9)


def test_an_uncertain_point_adds_the_mean_over_draws():
    rng = np.random.default_rng(0)
    front = np.array([[0.2, 0.7], [0.5, 0.4], [0.8, 0.1]])
    predictions = [Prediction(np.array([0.4]), np.array([0.2])), Prediction(np.log([0.35]), np.array([0.5]), True)]
    draws = np.column_stack([each.quantile(rng.standard_normal(4000))[0] for each in predictions])
    before = hypervolume(front, REFERENCE)
    gains = [hypervolume(np.concatenate([front, point[None]]), REFERENCE) - before for point in draws]
    [found] = hypervolume_improvement(predictions, front, REFERENCE, rng)
    np.testing.assert_allclose(found, np.mean(gains), rtol=0.06)


def test_one_objective_is_expected_improvement():
    prediction = Prediction(np.array([0.4, 0.9]), np.array([0.1, 0.0]))
    front = np.array([[0.6], [0.5]])
    found = hypervolume_improvement([prediction], front, np.array([1.0]), np.random.default_rng(0))
    np.testing.assert_allclose(found, prediction.shortfall(0.5))


def test_three_objectives_rank_points_as_the_hypervolume_does():
    rng = np.random.default_rng(1)
    front, points = rng.uniform(0.3, 1, (4, 3)), rng.uniform(0, 1, (30, 3))
    reference = np.ones(3)
    exact = [Prediction(column, np.zeros(30)) for column in points.T]
    found = hypervolume_improvement(exact, front, reference, rng)
    before = hypervolume(front, reference)
    gains = np.array([hypervolume(np.concatenate([front, point[None]]), reference) - before for point in points])
    assert np.corrcoef(found, gains)[0, 1] > 0.95
    assert (found[gains == 0.0] == 0.0).all()


def test_the_staircase_leaves_out_what_is_dominated_or_beyond():
    front = np.array([[0.5, 0.5], [0.6, 0.6], [0.2, 0.9], [0.1, 1.5], [0.5, 0.4]])
    np.testing.assert_array_equal(staircase(front, REFERENCE), [[0.2, 0.9], [0.5, 0.4]])
    assert staircase(np.zeros((0, 2)), REFERENCE).shape == (0, 2)


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_that_of_looking_at_every_row_each_time(seed):
    rng = np.random.default_rng(seed)
    num = 3000
    predictions = [
        Prediction(rng.uniform(0, 1, num), rng.uniform(0.01, 0.2, num)),
        Prediction(np.log(rng.uniform(0.1, 1, num)), rng.uniform(0.01, 0.2, num), True),
    ]
    means = np.column_stack([each.mean for each in predictions])
    looked_at = []

    def improvement(front, rows):
        looked_at.append(len(rows))
        return hypervolume_improvement([each[rows] for each in predictions], front, REFERENCE, rng)

    front = np.array([[0.3, 0.6], [0.6, 0.3]])
    chosen = choose_batch(improvement, means, front, 6)
    assert sum(looked_at) < 2 * num
    for place, row in enumerate(chosen):
        gain = improvement(front, np.arange(num))
        gain[chosen[:place]] = -np.inf
        assert gain[row] == pytest.approx(gain.max(), rel=1e-9)
        front = np.concatenate([front, means[[row]]])
    assert len(set(chosen)) == 6


def test_a_batch_is_no_larger_than_its_rows():
    means = np.array([[0.5, 0.5], [0.4, 0.6]])
    assert choose_batch(lambda _front, rows: np.ones(len(rows)), means, np.zeros((0, 2)), 5) == [0, 1]
