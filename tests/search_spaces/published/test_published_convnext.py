"""ConvNeXt against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network

# Source: fvcore's counts of timm 1.0.31's networks at 224 pixels: params, macs, activations.
COUNTED = {
    "convnext_tiny": (28_589_128, 4_470_437_376, 13_435_624),
    "convnext_base": (88_591_464, 15_383_635_968, 28_751_848),
    "convnext_xlarge": (350_196_968, 60_978_843_648, 57_502_696),
}
# Source: core MACs in units of 10^7, and million parameters of table 1 of the paper.
PUBLISHED = {"convnext_small": (50, 871), "convnext_large": (198, 3_440)}


@pytest.mark.parametrize("name", COUNTED)
def test_networks_as_fvcore_counts_them(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == COUNTED[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_in_the_papers_units(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (round(counted.params / 1e6), round(counted.macs / 1e7)) == PUBLISHED[name]


def test_the_closed_form_is_fvcores_own_count() -> None:
    blueprint = network("convnext_tiny", resolution=72)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_a_resolution_that_the_patch_does_not_divide() -> None:
    with pytest.raises(UsageError, match="patch 4 does not divide the resolution 225x225"):
        cost(network("convnext_tiny", resolution=225))
