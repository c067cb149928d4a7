"""CrossViTs against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network

# fvcore's counts (params, MACs, activations) of timm 1.0.31 with fused attention off.
PUBLISHED = {
    "crossvit_tiny_240": (7_014_800, 1_569_962_880, 9_083_747),
    "crossvit_base_240": (105_025_232, 21_220_388_352, 36_328_988),
    "crossvit_9_240": (8_553_296, 1_848_921_600, 9_524_456),
    "crossvit_15_240": (27_528_464, 5_807_298_816, 19_767_800),
}

# timm's table of inference speeds, rounded to two digits: params (M), GMACs, activations (M).
ROUNDED = {
    "crossvit_small_240": [26.86, 5.63, 18.17],
    "crossvit_18_240": [43.27, 9.05, 26.26],
    "crossvit_9_dagger_240": [8.78, 1.99, 9.97],
    "crossvit_15_dagger_240": [28.21, 6.13, 20.43],
    "crossvit_18_dagger_240": [44.27, 9.50, 27.03],
    "crossvit_15_dagger_408": [28.50, 21.45, 95.05],
    "crossvit_18_dagger_408": [44.61, 32.47, 124.87],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == PUBLISHED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_counts_of_the_other_sizes_to_two_digits(name: str) -> None:
    counted = cost(network(name), "fvcore")
    found = [counted.params / 1e6, counted.macs / 1e9, counted.activations / 1e6]
    assert [round(number, 2) for number in found] == ROUNDED[name]


@pytest.mark.parametrize("name", ["crossvit_tiny_240", "crossvit_9_dagger_240"])
def test_crossvit_as_fvcore_counts_it(name: str) -> None:
    blueprint = network(name, 60, num_classes=10)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_a_resolution_that_the_small_patch_does_not_divide() -> None:
    with pytest.raises(UsageError, match=r"patch 12 does not divide the resolution 224x224: allowed patches: \[1, 2"):
        cost(network("crossvit_9_240", 224))
