from __future__ import annotations

import pytest
import torch

from nas.training.losses import Outputs
from nas.training.losses.density import Density

TARGET = torch.zeros(2, 1, 4, 4)
TARGET[0, 0, 0, 0], TARGET[1, 0, 3, 3] = 2.0, 1.0


def test_the_right_density_costs_nothing() -> None:
    assert Density()(Outputs(TARGET, TARGET)) == 0


def test_without_local_counts_it_is_the_sum_of_squares_of_an_image() -> None:
    given = TARGET.clone()
    given[0, 0, 0, 0], given[1, 0, 0, 0] = 0.0, 1.0
    assert Density(local_weight=0)(Outputs(given, TARGET)) == pytest.approx((4 + 1) / 2)


def test_local_counts_are_relative_and_of_the_worse_half() -> None:
    """Four regions of 2 x 2 cells: in the first image one misses 2 objects of 2, in the second one of none counts 1."""
    given = TARGET.clone()
    given[0, 0, 0, 0], given[1, 0, 0, 0] = 0.0, 1.0
    loss = Density(local_weight=1, regions=2)
    assert loss.local_error(given, TARGET) == pytest.approx(((2 / 3 + 0) / 2 + (1 / 1 + 0) / 2) / 2)
    assert loss(Outputs(given, TARGET)) == pytest.approx(2.5 + float(loss.local_error(given, TARGET)))


def test_objects_moved_inside_a_region_keep_the_local_counts() -> None:
    moved = torch.roll(TARGET, 1, 3)
    moved[1] = TARGET[1]
    assert Density(local_weight=1, regions=2).local_error(moved, TARGET) == 0


def test_a_map_of_few_cells_has_a_region_for_each() -> None:
    assert Density(regions=8).local_error(TARGET, torch.zeros_like(TARGET)) > 0
