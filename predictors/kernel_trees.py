"""Randomised trees as arrays: fitted by scikit-learn, stored as numbers, evaluated by NumPy alone.

A mean of leaves never leaves the range of what was seen, so that far from the shapes and cards trained on the trees
say a constant and the formula beside them carries on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NUM_TREES, LEAST_LEAF, FEATURE_SHARE = 30, 6, 0.6


def fit_trees(features: Array, target: Array, weight: Array, seed: int) -> dict[str, Array]:
    """Return the trees of ``features`` (n, d) -> ``target`` (n,): all nodes in a row, and where each tree begins."""
    from sklearn.ensemble import ExtraTreesRegressor

    settings: dict[str, Any] = {"min_samples_leaf": LEAST_LEAF, "max_features": FEATURE_SHARE, "random_state": seed}
    found = [each.tree_ for each in ExtraTreesRegressor(NUM_TREES, **settings).fit(features, target, weight)]
    starts = np.cumsum([0, *(tree.node_count for tree in found)])
    leaf = np.concatenate([tree.children_left < 0 for tree in found])
    own = np.arange(starts[-1])

    def children(name: str) -> Array:
        moved = [getattr(tree, name) + start for tree, start in zip(found, starts[:-1], strict=True)]
        return np.where(leaf, own, np.concatenate(moved)).astype(np.float64)

    return {
        "root": starts[:-1].astype(np.float64),
        "left": children("children_left"),
        "right": children("children_right"),
        "feature": np.concatenate([np.maximum(tree.feature, 0) for tree in found]).astype(np.float64),
        "threshold": np.concatenate([tree.threshold for tree in found]).astype(np.float32).astype(np.float64),
        "value": np.concatenate([tree.value[:, 0, 0] for tree in found]),
    }


def evaluate_trees(trees: Mapping[str, Array], features: Array) -> Array:
    """Return the trees' mean, (n,), at ``features`` (n, d); a leaf is its own child."""
    left, right, column = (trees[name].astype(np.intp) for name in ("left", "right", "feature"))
    rows = np.arange(len(features))
    total = np.zeros(len(features))
    for root in trees["root"].astype(np.intp):
        node = np.full(len(features), root)
        while True:
            goes_left = features[rows, column[node]] <= trees["threshold"][node]
            after = np.where(goes_left, left[node], right[node])
            if np.array_equal(after, node):
                break
            node = after
        total += trees["value"][node]
    return np.asarray(total / len(trees["root"]))
