from itertools import combinations

import numpy as np
import pytest

from nas.search.pareto import hypervolume, non_dominated, normalise
from nas.search.robust import MARGIN, robust_set
from search_spaces.errors import UsageError


def share(values, rows):
    front = values[non_dominated(values)]
    scaled = normalise(values, front.min(axis=0), front.max(axis=0))
    reference = np.full(values.shape[1], 1.0 + MARGIN)
    return hypervolume(scaled[list(rows)], reference) / hypervolume(scaled, reference)


@pytest.mark.parametrize("seed", range(5))
def test_no_single_exchange_is_better_and_the_loss_is_near_the_best(seed):
    rng = np.random.default_rng(seed)
    error = rng.random(12)
    points = {name: np.column_stack([error, 2.0 - error + rng.random(12)]) for name in ("a", "b", "c")}
    found = robust_set(points, 3)
    for name, lost in found.lost.items():
        assert lost == pytest.approx(1.0 - share(points[name], found.rows))
    losses = {
        rows: np.mean([1.0 - share(values, rows) for values in points.values()]) for rows in combinations(range(12), 3)
    }
    best = min(losses.values())
    assert best - 1e-12 <= found.mean_lost <= best + 0.02
    for rows, lost in losses.items():
        if len(set(rows) & set(found.rows)) == 2:
            assert lost >= found.mean_lost - 1e-9


def test_the_whole_front_of_one_target_loses_nothing():
    values = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [3.0, 3.0]])
    found = robust_set({"only": values}, 10)
    assert sorted(found.rows) == [0, 1, 2]
    assert found.lost == pytest.approx({"only": 0.0})


def test_a_network_that_a_bound_excludes_on_one_target_counts_on_the_other():
    first = np.array([[1.0, 1.0], [2.0, 2.0]])
    second = np.array([[np.nan, np.nan], [2.0, 2.0]])
    assert sorted(robust_set({"a": first, "b": second}, 2).rows) == [0, 1]


def test_bad_input_is_named():
    with pytest.raises(UsageError, match="asked for a robust set of 0 networks"):
        robust_set({"a": np.ones((1, 2))}, 0)
    with pytest.raises(UsageError, match="no network is known on target 'b'"):
        robust_set({"a": np.ones((1, 2)), "b": np.full((1, 2), np.nan)}, 1)
