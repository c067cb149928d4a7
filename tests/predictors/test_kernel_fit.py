"""The formula of single kernels: which tile it takes."""

from __future__ import annotations

import numpy as np
import pytest

from predictors.kernel_card import Card
from predictors.kernel_fit import evaluate
from predictors.kernel_terms import TILES, kernel_terms

CARD = Card("V100", 14e12, 900e9, 80, 6 * 2**20, 64, 7.0, None)
SHAPES = {
    name: np.array(sizes) for name, sizes in zip("BMNK", ([1.0, 40], [2048, 30], [512.0, 64], [2048, 30]), strict=True)
}
# No start, no edges, a tile chosen sharply; of a card, no memory, no launch and no long sums.
SHARED = {"shared": np.array([-50.0, -50.0, 0.2, -7.0, 5.0])}
BARE = [0.0, -50.0, -50.0, 0.0]


def log_s(offsets: list[float]) -> np.ndarray:
    return evaluate(SHARED, kernel_terms("bmm", SHAPES, CARD), np.array([*BARE, *offsets]))


def test_the_time_is_nearly_that_of_the_fastest_tile() -> None:
    compute_s = kernel_terms("bmm", SHAPES, CARD).compute_s
    assert compute_s.argmin(axis=1)[0] != compute_s.argmin(axis=1)[1]
    assert log_s([0.0] * len(TILES["bmm"])) == pytest.approx(np.log(compute_s.min(axis=1)), abs=0.02)


def test_a_tile_that_costs_far_more_is_not_taken() -> None:
    only = TILES["bmm"].index((128, 64))
    offsets = [0.0 if tile == only else 10.0 for tile in range(len(TILES["bmm"]))]
    expected = np.log(kernel_terms("bmm", SHAPES, CARD).compute_s[:, only])
    assert log_s(offsets) == pytest.approx(expected, abs=1e-6)
