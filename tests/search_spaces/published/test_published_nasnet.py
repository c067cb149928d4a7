"""NASNet-A and PNASNet-5 against reference/networks.csv (timm 1.0.31) and the rounded tables of their papers."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network


@pytest.mark.parametrize(
    ("name", "params", "macs", "activations"),
    [
        ("nasnetalarge", 88_753_150, 23_886_348_558, 90_560_452),
        ("pnasnet5large", 86_057_668, 25_044_134_676, 92_889_814),
    ],
)
def test_counts_to_the_digit(name: str, params: int, macs: int, activations: int) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == (params, macs, activations)


@pytest.mark.parametrize(("name", "macs"), [("nasnetalarge", 23_783_414_658), ("pnasnet5large", 24_937_395_792)])
def test_macs_of_convolutions_and_linear_maps(name: str, macs: int) -> None:
    """Source: reference/spaces.md, F6."""
    assert cost(network(name)).macs == macs


@pytest.mark.parametrize(
    ("name", "millions", "mega_macs"),
    [("nasnetamobile", 5.3, 564), ("pnasnet5mobile", 5.1, None), ("nasnetacifar", 3.3, None)],
)
def test_the_papers_rounded_tables(name: str, millions: float, mega_macs: int | None) -> None:
    """Source: Zoph et al. 2018, tables 1 and 3; Liu et al. 2018, table 4."""
    counted = cost(network(name))
    assert round(counted.params / 1e6, 1) == millions
    if mega_macs is not None:
        assert round(counted.macs / 1e6) == mega_macs


@pytest.mark.parametrize("name", ["nasnetamobile", "pnasnet5mobile"])
def test_fvcore_counts_the_same(name: str) -> None:
    blueprint = network(name, resolution=32)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
