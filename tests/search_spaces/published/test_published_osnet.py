"""OSNet at 256x128 against reference/networks.csv (KaiyangZhou/deep-person-reid, counted by fvcore)."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("osnet_x1_0_noclassifier", 2_169_508, 996_505_600),
        ("osnet_x0_75_noclassifier", 1_285_754, 584_975_104),
        ("osnet_x0_25_noclassifier", 201_864, 86_723_200),
    ],
)
def test_counts_to_the_digit(name: str, params: int, macs: int) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, counted.macs) == (params, macs)


@pytest.mark.parametrize("name", ["osnet_x0_25_noclassifier", "osnet_ain_x0_25"])
def test_fvcore_counts_the_same(name: str) -> None:
    blueprint = network(name, resolution=(64, 32))
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


@pytest.mark.parametrize(
    ("name", "millions", "gigas"),
    [
        ("osnet_x1_0", 2.2, 0.98),
        ("osnet_x0_75", 1.3, 0.57),
        ("osnet_x0_5", 0.6, 0.27),
        ("osnet_x0_25", 0.2, 0.08),
        ("osnet_ibn_x1_0", 2.2, 0.98),
        ("osnet_ain_x1_0", 2.2, 0.98),
    ],
)
def test_the_repositorys_rounded_table(name: str, millions: float, gigas: float) -> None:
    """Source: deep-person-reid's model zoo: parameters and MACs of convolutions and linear maps, no classifier."""
    counted = cost(network(f"{name}_noclassifier"))
    assert round(counted.params / 1e6, 1) == millions
    assert round(counted.macs / 1e9, 2) == gigas


def test_the_classifier_is_one_linear_map() -> None:
    with_it, without = (cost(network(name)) for name in ("osnet_x0_5", "osnet_x0_5_noclassifier"))
    assert with_it.params - without.params == 513 * 1000
    assert with_it.macs - without.macs == 512 * 1000
