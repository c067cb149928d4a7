"""Terms and features of kernels: finite for every group, and what power and waves do to products."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from predictors.kernel_card import Card
from predictors.kernel_features import kernel_features
from predictors.kernel_terms import GROUPS, SHAPES, TILES, kernel_terms, num_tiles

T4 = Card("Tesla T4", 8.141e12, 320e9, 40, 4 * 2**20, 64, 7.5, 70.0)
SIZES = {"kernel": 3.0, "stride": 1.0, "pad": 1.0, "hw_in": 14.0}


def shapes(group: str) -> dict[str, np.ndarray]:
    found = {name: np.full(3, SIZES.get(name, 64.0)) for name in SHAPES[group]}
    found["B"] = np.array([1.0, 7.0, 64.0])
    return found | {"num_tensors": np.full(3, 2.0)}


@pytest.mark.parametrize("group", GROUPS)
def test_they_are_finite_and_grow_with_the_batch(group: str) -> None:
    features = kernel_features(group, shapes(group), T4)
    assert len(features) == 3
    assert np.isfinite(features).all()
    terms = kernel_terms(group, shapes(group), T4)
    assert (np.diff(terms.memory_s) > 0).all()
    assert terms.compute_s.shape == terms.inverse_tile.shape == (3, num_tiles(group))
    assert (np.diff(terms.compute_s, axis=0) >= 0).all()


def test_products_come_in_whole_waves_and_are_throttled_later() -> None:
    terms = kernel_terms("bmm", shapes("bmm"), T4)
    of_64 = terms.compute_s[:, TILES["bmm"].index((64, 64))]
    assert of_64[0] == of_64[1] < of_64[2]
    assert terms.throttle == pytest.approx(np.log(T4.power_slowdown()))


def test_power_holds_convolutions_down_from_the_start() -> None:
    given = shapes("conv2d")
    held, free = (kernel_terms("conv2d", given, card) for card in (T4, replace(T4, power_w=None)))
    assert held.throttle.tolist() == [0.0, 0.0, 0.0]
    assert (held.compute_s > free.compute_s).all()
