import numpy as np
import pytest

from nas.search.adaptive_geometry import diversity, extreme_points, geometry, intercepts, survival_scores


def arc(num, p, dimensions=2):
    """Return points of the unit sphere of the L_p norm, the axes' ends included."""
    share = np.linspace(0.0, 1.0, num)
    points = np.column_stack([share, 1.0 - share]) if dimensions == 2 else np.eye(dimensions)
    return points / (points**p).sum(axis=1, keepdims=True) ** (1.0 / p)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 4.0])
def test_the_geometry_of_a_sphere_is_its_norm(p):
    front = arc(41, p)
    assert geometry(front, extreme_points(front)) == pytest.approx(p, rel=1e-6)


def test_extremes_are_the_ends_and_the_plane_goes_through_them():
    front = arc(9, 2.0) * [3.0, 7.0]
    extremes = extreme_points(front)
    assert sorted(extremes.tolist()) == [0, 8]
    np.testing.assert_allclose(intercepts(front, extremes), [3.0, 7.0])
    # Ends that lie on one line through the ideal point span no plane: the front's range is taken.
    line = np.array([[1.0, 2.0], [2.0, 4.0], [0.5, 1.0]])
    np.testing.assert_allclose(intercepts(line, np.array([0, 1])), [2.0, 4.0])


def test_a_crowded_point_scores_least_and_ends_are_kept():
    front = np.array([[0.0, 1.0], [0.5, 0.5], [0.52, 0.48], [1.0, 0.0]])
    scores = diversity(front, np.array([0, 3]), 1.0)
    assert np.isinf(scores[[0, 3]]).all()
    first, second = sorted(scores[[1, 2]].tolist(), reverse=True)
    # The first of the two sees both ends; the second sees the first at 0.04 and the nearer end at 0.96 or 1.
    assert first == pytest.approx(2.0)
    assert second == pytest.approx(1.02, abs=0.021)


def test_scores_do_not_depend_on_units_or_origin():
    rng = np.random.default_rng(0)
    points = np.concatenate([arc(12, 2.0), arc(5, 2.0) + rng.uniform(0.2, 0.5, (5, 2))])
    ranks = np.repeat([0, 1], [12, 5])
    scores = survival_scores(points, ranks)
    np.testing.assert_allclose(survival_scores(points * [10.0, 0.1] + [5.0, -3.0], ranks), scores, rtol=1e-6)
    nearer = np.linalg.norm(points[12:], axis=1)
    np.testing.assert_array_equal(np.argsort(scores[12:]), np.argsort(-nearer))


@pytest.mark.parametrize("points", [np.zeros((3, 2)), np.array([[1.0, 2.0]]), np.ones((4, 1))])
def test_fronts_without_extent_have_finite_or_infinite_scores(points):
    scores = survival_scores(points, np.zeros(len(points), dtype=int))
    assert not np.isnan(scores).any()
