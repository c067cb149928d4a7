from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.training.seta import (
    PruningSettings,
    images_of_epoch,
    initial_losses,
    loss_groups,
    window_of_epoch,
)
from search_spaces.errors import UsageError

SETTINGS = PruningSettings()


def spread(num: int = 1000) -> np.ndarray:
    """Losses that are evenly spread, in no order."""
    return np.random.default_rng(0).permutation(np.linspace(0, 5, num)).astype(np.float32)


def test_kept_share_is_the_random_share_times_the_windows_share() -> None:
    """Exactly so where groups are of equal size: here, all images have the same loss."""
    settings = PruningSettings(prune_ratio=0.2, num_groups=10, window=0.3)
    assert len(images_of_epoch(0, 1, 8, initial_losses(1000), settings)) == 1000 * 0.8 * 0.3
    shares = [len(images_of_epoch(0, epoch, 80, spread(), settings)) / 1000 for epoch in range(1, 9)]
    assert np.mean(shares) == pytest.approx(0.8 * 0.3, rel=0.02), "over one pass of the window, which is 8 epochs"


@pytest.mark.parametrize(("epoch", "kept"), [(0, 700), (1, 350), (13, 350), (14, 700), (15, 700)])
def test_the_first_epoch_and_the_last_eighth_leave_out_the_random_share_alone(epoch, kept) -> None:
    assert len(images_of_epoch(3, epoch, 16, initial_losses(1000), SETTINGS)) == kept


def test_the_window_moves_from_easy_to_hard_and_starts_again() -> None:
    assert [window_of_epoch(epoch, 10, 0.5) for epoch in (0, 1, 5, 6)] == [(0, 5), (1, 6), (5, 10), (0, 5)]
    assert window_of_epoch(7, 4, 1.0) == (0, 4)
    losses = spread()
    means = [losses[images_of_epoch(0, epoch, 100, losses, SETTINGS)].mean() for epoch in (6, 1, 2, 3, 4, 5)]
    assert means == sorted(means)


def test_an_epoch_is_a_function_of_its_arguments() -> None:
    losses = spread()
    one, again = (images_of_epoch(1, 2, 10, losses, SETTINGS) for _ in range(2))
    assert one.dtype == np.int64
    assert np.array_equal(one, again)
    for seed, epoch, given_losses in ((2, 2, losses), (1, 3, losses), (1, 2, losses[::-1].copy())):
        assert not np.array_equal(one, images_of_epoch(seed, epoch, 10, given_losses, SETTINGS))
    assert not np.array_equal(one, np.sort(one)), "the order is random"


@given(
    st.lists(st.floats(0, 20, width=32), min_size=1, max_size=60),
    st.integers(0, 12),
    st.floats(0, 0.99),
    st.integers(1, 12),
    st.floats(0.01, 1),
)
def test_any_losses_give_distinct_images(values, epoch, prune_ratio, num_groups, window) -> None:
    settings = PruningSettings(prune_ratio=prune_ratio, num_groups=num_groups, window=window)
    chosen = images_of_epoch(0, epoch, 10, np.array(values, dtype=np.float32), settings)
    assert 1 <= len(chosen) == len(set(chosen.tolist())) <= max(1, round((1 - prune_ratio) * len(values)))
    assert 0 <= chosen.min() <= chosen.max() < len(values)


@given(st.lists(st.floats(0, 20, width=32), min_size=1, max_size=80), st.integers(1, 12))
def test_groups_are_a_partition_from_easy_to_hard(values, num_groups) -> None:
    losses = np.array(values, dtype=np.float32)
    groups = loss_groups(losses, num_groups)
    assert 1 <= len(groups) <= num_groups
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(values)))
    for easier, harder in pairwise(groups):
        assert losses[easier].max() <= losses[harder].min()


def test_groups_are_the_clusters_of_k_means() -> None:
    rng = np.random.default_rng(0)
    losses = np.concatenate([rng.normal(centre, 0.05, num) for centre, num in ((1, 30), (3, 200), (4, 10))])
    sizes = [len(group) for group in loss_groups(losses.astype(np.float32), 3)]
    assert sizes == [30, 200, 10]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_named(bad) -> None:
    losses = initial_losses(10)
    losses[[4, 7]] = bad
    with pytest.raises(UsageError, match=rf"training image 4 is {bad} \(2 such images\): losses must be finite"):
        images_of_epoch(0, 1, 10, losses, SETTINGS)
