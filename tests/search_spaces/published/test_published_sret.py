"""Sliced recursive transformers against counts of their official repository."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network

# fvcore's counts of szq0214/SReT: params, MACs to the million, activations to ten thousand.
PUBLISHED = {"SReT_T": (4_755_979, 1_122, 941), "SReT_LT": (4_988_024, 1_174, 963)}

# MACs to the million, counted in szq0214/SReT; without slicing in its SReT_wo_slice.py.
MACS = {"SReT_S": 4_191, "SReT_LT_wo_slice": 1_427}

# szq0214/SReT's README, which cuts digits off: params (M) and GMACs at (side).
README = {
    ("SReT_T", 224): (4.8, 1.1),
    ("SReT_T_wo_slice", 224): (4.8, 1.4),
    ("SReT_LT", 224): (5.0, 1.2),
    ("SReT_LT_wo_slice", 224): (5.0, 1.4),
    ("SReT_S", 224): (20.9, 4.2),
    ("SReT_S_wo_slice", 224): (20.9, 4.7),
    ("SReT_T_wo_slice", 384): (4.9, 6.4),
    ("SReT_S_wo_slice", 384): (21.0, 18.5),
    ("SReT_S_wo_slice", 512): (21.3, 42.8),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, round(counted.macs / 1e6), round(counted.activations / 1e4)) == PUBLISHED[name]


@pytest.mark.parametrize("name", MACS)
def test_macs_to_the_million(name: str) -> None:
    assert round(cost(network(name), "fvcore").macs / 1e6) == MACS[name]


@pytest.mark.parametrize(("name", "side"), README)
def test_counts_of_the_readme(name: str, side: int) -> None:
    counted = cost(network(name, side), "fvcore")
    assert (counted.params / 1e6, counted.macs / 1e9) == pytest.approx(README[name, side], abs=0.1)


def test_sret_as_fvcore_counts_it() -> None:
    blueprint = network("SReT_T", num_classes=10)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_slicing_costs_no_parameters() -> None:
    for name in ("SReT_T", "SReT_LT", "SReT_S"):
        assert cost(network(name)).params == cost(network(f"{name}_wo_slice")).params


def test_a_resolution_that_the_groups_do_not_divide() -> None:
    with pytest.raises(UsageError, match=r"groups 8 does not divide 169 tokens: allowed: \[1, 13\]"):
        cost(network("SReT_T", 100))
