"""Trees as arrays say what scikit-learn's say, and never leave the range of what was seen."""

from __future__ import annotations

import numpy as np
import pytest

from predictors.kernel_trees import FEATURE_SHARE, LEAST_LEAF, NUM_TREES, evaluate_trees, fit_trees


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 3))
    return features, np.sin(features[:, 0]) + (features[:, 1] > 0), rng.uniform(0.5, 1.0, size=300)


def test_they_equal_scikit_learns(data) -> None:
    from sklearn.ensemble import ExtraTreesRegressor

    features, target, weight = data
    model = ExtraTreesRegressor(NUM_TREES, min_samples_leaf=LEAST_LEAF, max_features=FEATURE_SHARE, random_state=3)
    expected = model.fit(features, target, weight).predict(features)
    assert evaluate_trees(fit_trees(features, target, weight, seed=3), features) == pytest.approx(expected, abs=1e-6)


def test_they_stay_within_what_was_seen_however_far(data) -> None:
    features, target, weight = data
    found = evaluate_trees(fit_trees(features, target, weight, seed=0), 1e6 * features)
    assert found.min() >= target.min()
    assert found.max() <= target.max()


def test_a_constant_is_one_leaf_a_tree() -> None:
    trees = fit_trees(np.zeros((20, 2)), np.full(20, 0.25), np.ones(20), seed=0)
    assert len(trees["value"]) == NUM_TREES
    assert evaluate_trees(trees, np.ones((2, 2))).tolist() == pytest.approx([0.25, 0.25])
