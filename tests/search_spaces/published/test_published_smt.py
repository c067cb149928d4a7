"""SMT against published counts."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network


def test_the_smallest_as_fvcore_counts_it() -> None:
    """fvcore on AFeng-x/SMT's network at 224 pixels: 2,480 million MACs, 18.58 million activations."""
    counted = cost(network("smt_t"), "fvcore")
    found = (counted.params, round(counted.macs / 1e6), round(counted.activations / 1e4))
    assert found == (11_506_536, 2_480, 1_858)


@pytest.mark.parametrize(("name", "macs"), [("smt_s", 487), ("smt_b", 801), ("smt_l", 1_797)])
def test_macs_of_the_other_sizes(name: str, macs: int) -> None:
    """The same count, in units of 10^7."""
    assert round(cost(network(name), "fvcore").macs / 1e7) == macs


def test_params_of_the_second_size() -> None:
    """22,550,952 as the official code builds it; its README gives 21M."""
    assert cost(network("smt_s")).params == 22_550_952


def test_the_closed_form_is_fvcores_own_count() -> None:
    blueprint = network("smt_t", resolution=64)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
