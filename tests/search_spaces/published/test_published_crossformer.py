"""CrossFormers against published counts: parameters to the digit, MACs to the million, activations to ten thousand."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network

# fvcore's counts of cheerss/CrossFormer: params, MACs (M), activations (10 k).
PUBLISHED = {
    "crossformer_tiny": (27_776_794, 2870, 1041),
    "crossformer_base": (51_971_554, 9188, 2780),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, round(counted.macs / 1e6), round(counted.activations / 1e4)) == PUBLISHED[name]


@pytest.mark.parametrize(("name", "gmacs"), [("crossformer_small", 4.93), ("crossformer_large", 16.15)])
def test_the_other_sizes_to_two_digits(name: str, gmacs: float) -> None:
    """scaling.md A11; the paper (table 2) rounds their parameters to 30.7 and 92.0 M."""
    counted = cost(network(name), "fvcore")
    assert round(counted.macs / 1e9, 2) == gmacs
    assert round(counted.params / 1e6, 1) == {"crossformer_small": 30.7, "crossformer_large": 92.0}[name]


def test_crossformer_as_fvcore_counts_it() -> None:
    blueprint = network("crossformer_tiny", num_classes=10)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
