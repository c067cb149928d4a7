"""Swin transformers against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network

# fvcore's counts (params, MACs, activations) of timm 1.0.31 with fused attention off.
PUBLISHED = {
    "swin_tiny_patch4_window7_224": (28_288_354, 4_509_194_496, 17_055_352),
    "swin_base_patch4_window7_224": (87_768_224, 15_467_826_176, 36_626_344),
}

# timm's table of inference speeds, rounded to two digits: params (M), GMACs, activations (M).
ROUNDED = {
    "swin_small_patch4_window7_224": [49.61, 8.77, 27.47],
    "swin_large_patch4_window7_224": [196.53, 34.53, 54.94],
    "swin_base_patch4_window12_384": [87.90, 47.19, 134.78],
    "swin_large_patch4_window12_384": [196.74, 104.08, 202.16],
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


def test_swin_as_fvcore_counts_it() -> None:
    blueprint = network("swin_tiny_patch4_window7_224", num_classes=10)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_a_resolution_that_the_windows_do_not_divide() -> None:
    with pytest.raises(UsageError, match="window 7 does not divide the map 40x40"):
        cost(network("swin_tiny_patch4_window7_224", 160))
