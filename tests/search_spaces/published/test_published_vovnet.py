"""VoVNet and VoVNetV2 against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network, networks

# Source: timm's benchmark tables, rounded there. Name: resolution, million params, GMACs, million activations.
ROUNDED = {
    "eca_vovnet39b": (224, 22.6, 7.09, 6.74),
    "ese_vovnet19b_dw": (224, 6.54, 1.34, 8.25),
    "ese_vovnet19b_slim": (224, 3.17, 1.69, 3.52),
    "ese_vovnet19b_slim_dw": (224, 1.9, 0.4, 5.28),
    "ese_vovnet39b": (224, 24.57, 7.09, 6.74),
    "ese_vovnet57b": (224, 38.61, 8.95, 7.52),
    "ese_vovnet99b": (224, 63.2, 16.51, 11.27),
    "vovnet39a": (224, 22.6, 7.09, 6.73),
    "vovnet57a": (224, 36.64, 8.95, 7.52),
}


def test_networks_csv() -> None:
    """Source: reference/networks.csv (fvcore on timm 1.0.31)."""
    counted = cost(network("vovnet39a"), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == (22_600_296, 7_085_743_488, 6_733_992)


@pytest.mark.parametrize("name", ROUNDED)
def test_sizes_that_are_known_rounded(name: str) -> None:
    side, *published = ROUNDED[name]
    counted = cost(network(name, side), "fvcore")
    found = (counted.params / 1e6, counted.macs / 1e9, counted.activations / 1e6)
    assert found == pytest.approx(published, abs=0.00501)


def test_fvcore_itself_counts_the_same() -> None:
    blueprint = network("ese_vovnet19b_dw", 64)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_every_size_is_checked() -> None:
    names = {name for name in networks.names() if networks.get(name).family == "vovnet"}
    assert names == {*ROUNDED, "ese_vovnet19b"}
