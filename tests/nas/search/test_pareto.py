import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.search.pareto import hypervolume, non_dominated, normalise
from search_spaces.errors import UsageError

NUM_SETS = 500


def random_points(seed: int):
    """A set with ties, duplicates, NaN and infinities: (n, m), m = 2..4."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 15)), int(rng.integers(2, 5)))
    points = rng.integers(0, 6, shape) / 4 if seed % 2 else rng.random(shape) * 1.3
    special = rng.random(shape)
    points[special < 0.04] = np.nan
    points[special > 0.96] = np.inf
    return np.concatenate([points, points[rng.integers(0, len(points), 2)]])


def brute_force_mask(points):
    def dominates(a, b):
        return bool((a <= b).all() and (a < b).any())

    known = [row for row in points if not np.isnan(row).any()]
    return [not np.isnan(row).any() and not any(dominates(other, row) for other in known) for row in points]


def brute_force_hypervolume(points, reference):
    """Sum of the cells of the grid through all coordinates that some point dominates."""
    inside = [row for row in points if (row < reference).all()]
    if not inside:
        return 0.0
    axes = [np.unique([row[axis] for row in inside] + [reference[axis]]) for axis in range(len(reference))]
    cells = np.array(list(itertools.product(*(axis[:-1] for axis in axes))))
    sizes = np.array(list(itertools.product(*(np.diff(axis) for axis in axes)))).prod(axis=1)
    dominated = (np.array(inside)[:, None] <= cells[None]).all(axis=2).any(axis=0)
    return float(sizes[dominated].sum())


def test_non_dominated_equals_brute_force():
    for seed in range(NUM_SETS):
        points = random_points(seed)
        assert non_dominated(points).tolist() == brute_force_mask(points), seed


def test_hypervolume_equals_brute_force():
    for seed in range(NUM_SETS):
        points = random_points(seed)[:9]
        reference = np.ones(points.shape[1])
        expected = brute_force_hypervolume(points, reference)
        assert hypervolume(points, reference) == pytest.approx(expected, rel=1e-9), seed


def test_adding_a_point_never_lowers_hypervolume():
    for seed in range(NUM_SETS):
        points = random_points(seed)
        reference = np.ones(points.shape[1])
        shares = [hypervolume(points[: count + 1], reference) for count in range(len(points))]
        assert all(after >= before * (1 - 1e-12) for before, after in itertools.pairwise(shares)), seed


def test_non_dominated_rules():
    nan, inf = float("nan"), float("inf")
    points = np.array([[1, 2], [1, 2], [nan, 0], [inf, 1], [2, 2], [-inf, 3]])
    assert non_dominated(points).tolist() == [True, True, False, True, False, True]
    assert non_dominated(np.array([[nan, 1.0]])).tolist() == [False]
    assert non_dominated(np.zeros((0, 2))).tolist() == []
    assert non_dominated(np.array([[2.0], [1.0], [1.0]])).tolist() == [False, True, True]


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=12), st.randoms())
def test_non_dominated_does_not_depend_on_order(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    points = np.array(rows, dtype=np.float64)
    assert non_dominated(points[order]).tolist() == non_dominated(points)[order].tolist()


def test_hypervolume_of_what_is_outside_is_zero():
    assert hypervolume(np.array([[1.0, 0.0], [np.nan, 0.0], [0.0, np.inf]]), np.ones(2)) == 0.0
    assert hypervolume(np.zeros((0, 2)), np.ones(2)) == 0.0


def test_hypervolume_needs_a_finite_reference():
    with pytest.raises(UsageError, match=r"reference point is \[1.0, inf\]: give finite"):
        hypervolume(np.zeros((1, 2)), np.array([1.0, np.inf]))


def test_normalise_scales_and_keeps_flat_columns():
    points = normalise(np.array([[3.0, 5.0], [5.0, 7.0]]), np.array([1.0, 5.0]), np.array([5.0, 5.0]))
    np.testing.assert_array_equal(points, [[0.5, 0.0], [1.0, 2.0]])
