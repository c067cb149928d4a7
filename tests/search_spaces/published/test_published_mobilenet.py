"""MobileNetV2 and V3 against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network, networks

# Source: reference/networks.csv (fvcore on timm 1.0.31) and reference/spaces.md F6 (hooks on convolutions and linear).
# Name: params, MACs and activations as fvcore counts them, MACs of convolutions and linear.
EXACT = {
    "mobilenetv2_100": (3_504_872, 314_193_216, 6_679_112, 300_774_272),
    "mobilenetv3_large_100": (5_483_032, 225_436_416, 4_407_168, 216_589_760),
}
# Source: spaces.md F6. Name: params, MACs of convolutions and linear.
HOOKS = {"mobilenetv3_small_100": (2_542_856, 56_510_400)}
# Source: timm's benchmark tables, rounded there: million params, GMACs, million activations.
ROUNDED = {
    "mobilenetv2_035": (1.68, 0.07, 2.86),
    "mobilenetv2_050": (1.97, 0.10, 3.64),
    "mobilenetv2_075": (2.64, 0.22, 5.86),
    "mobilenetv2_110d": (4.52, 0.45, 8.71),
    "mobilenetv2_120d": (5.83, 0.69, 11.97),
    "mobilenetv2_140": (6.11, 0.60, 9.57),
    "mobilenetv3_large_075": (3.99, 0.16, 4.00),
    "mobilenetv3_small_050": (1.59, 0.03, 0.92),
    "mobilenetv3_small_075": (2.04, 0.05, 1.30),
    "mobilenetv3_small_100": (2.54, 0.06, 1.42),
    "tf_mobilenetv3_large_minimal_100": (3.92, 0.22, 4.40),
    "tf_mobilenetv3_small_minimal_100": (2.04, 0.06, 1.41),
}


@pytest.mark.parametrize("name", EXACT)
def test_networks_csv(name: str) -> None:
    params, macs, activations, products = EXACT[name]
    counted = cost(network(name), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == (params, macs, activations)
    assert cost(network(name)).macs == products


@pytest.mark.parametrize("name", HOOKS)
def test_spaces_md(name: str) -> None:
    counted = cost(network(name))
    assert (counted.params, counted.macs) == HOOKS[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_sizes_that_are_known_rounded(name: str) -> None:
    counted = cost(network(name), "fvcore")
    found = (counted.params / 1e6, counted.macs / 1e9, counted.activations / 1e6)
    assert found == pytest.approx(ROUNDED[name], abs=0.00501)


def test_every_registered_size_is_checked() -> None:
    names = {name for name in networks.names() if networks.get(name).family in {"mobilenetv2", "mobilenetv3"}}
    assert names == {*EXACT, *ROUNDED}


@pytest.mark.parametrize("name", ["mobilenetv2_035", "mobilenetv3_small_050"])
def test_fvcores_own_totals(name: str) -> None:
    blueprint = network(name, resolution=64)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
