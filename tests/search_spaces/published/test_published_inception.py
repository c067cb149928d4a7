"""Inception-ResNet-v2 against reference/networks.csv (timm 1.0.31), Inception-v4 against timm's rounded table."""

from __future__ import annotations

import pytest
import torch

from search_spaces.block import cost, module_of
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network


def test_inception_resnet_v2_to_the_digit() -> None:
    counted = cost(network("inception_resnet_v2"), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == (55_843_464, 13_182_930_592, 25_059_976)


def test_inception_v4_is_timms() -> None:
    """Source: timm's results table: 42.68 M parameters, 12.28 GMACs, 15.09 M activations at 299 pixels."""
    counted = cost(network("inception_v4"), "fvcore")
    found = round(counted.params / 1e6, 2), round(counted.macs / 1e9, 2), round(counted.activations / 1e6, 2)
    assert found == (42.68, 12.28, 15.09)


def test_fvcore_counts_the_same() -> None:
    blueprint = network("inception_v4", resolution=75)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_the_sizes_are_the_papers() -> None:
    """Szegedy et al. 2017: maps of 35, 17 and 8 pixels at 299."""
    borders = {"stage1.block2": 3, "stage2.block2": 2, "stage3.block2": 2}
    placed = {each.name: each.in_size for each in network("inception_v4").placed()}
    assert [placed[name][0] - border for name, border in borders.items()] == [35, 17, 8]


def test_a_resolution_that_is_not_allowed() -> None:
    with pytest.raises(UsageError, match="resolution 230 of an unpadded inception network: allowed: 224, 256"):
        cost(network("inception_resnet_v2", resolution=230))


@pytest.mark.parametrize("side", [75, 96, 109, 112, 124])
def test_borders_hold_at_every_resolution_that_is_allowed(side: int) -> None:
    """The maps of the modules are those of the closed form."""
    network_of_side = network("inception_v4", resolution=side)
    x, maps = torch.zeros(1, 3, side, side), {}
    for placed in network_of_side.placed():
        maps[placed.name] = (placed, x.shape[2:])
        x = module_of(placed).eval()(x)
    for placed, size in maps.values():
        border = int(dict(placed.settings).get("border", 0))
        assert tuple(size) == (placed.in_size[0] - border, placed.in_size[1] - border)
