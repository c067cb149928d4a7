"""HorNet against published counts."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network

# Source: fvcore's counts of raoyongming/HorNet's networks at 224 pixels: params, million MACs, activations in units of
# 10^4.
COUNTED = {"hornet_tiny_7x7": (22_409_512, 3_977, 1_907), "hornet_tiny_gf": (22_991_848, 3_897, 1_818)}
# Source: the same counts, in units of 10^7 MACs.
MACS = {"hornet_small_7x7": 883, "hornet_base_7x7": 1_558, "hornet_large_7x7": 3_482}


@pytest.mark.parametrize("name", COUNTED)
def test_networks_as_fvcore_counts_them(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, round(counted.macs / 1e6), round(counted.activations / 1e4)) == COUNTED[name]


@pytest.mark.parametrize("name", MACS)
def test_macs_of_the_other_sizes(name: str) -> None:
    assert round(cost(network(name), "fvcore").macs / 1e7) == MACS[name]


def test_params_of_the_largest() -> None:
    """194,542,504 as the official code builds it; its README gives 209M."""
    assert cost(network("hornet_large_7x7")).params == 194_542_504


@pytest.mark.parametrize("size", ["base", "large"])
def test_filters_of_larger_images_hold_more_frequencies(size: str) -> None:
    """24 x 13 and 12 x 7 frequencies at 384 pixels, where 224 have 14 x 8 and 7 x 4 (official configurations)."""
    width = {"base": 128, "large": 192}[size]
    third, fourth = width * 4 * 15 // 16, width * 8 * 31 // 32
    more = 18 * third * 2 * (24 * 13 - 14 * 8) + 2 * fourth * 2 * (12 * 7 - 7 * 4)
    params = [cost(network(f"hornet_{size}_gf{suffix}")).params for suffix in ("", "_img384")]
    assert params[1] - params[0] == more


@pytest.mark.parametrize("name", COUNTED)
def test_the_closed_form_is_fvcores_own_count(name: str) -> None:
    blueprint = network(name, resolution=64)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
