"""FBNet-C against timm's counts; FBNet-A and -B have no counts that are known to the digit."""

from __future__ import annotations

from search_spaces.block import cost
from search_spaces.networks import network


def test_fbnet_c_is_timms() -> None:
    """Source: timm 1.0.31, fbnetc_100 at 224 pixels: parameters, MACs of convolutions and linear maps."""
    counted = cost(network("fbnet_c"))
    assert (counted.params, counted.macs) == (5_572_200, 384_960_160)


def test_the_order_of_the_papers_table() -> None:
    """Wu et al. 2019, table 3: 249M, 295M and 375M MACs; 4.3M, 4.5M and 5.5M parameters."""
    counted = [cost(network(name)) for name in ("fbnet_a", "fbnet_b", "fbnet_c")]
    for found, macs in zip(counted, (249e6, 295e6, 375e6), strict=True):
        assert abs(found.macs / macs - 1) < 0.05
    assert [each.params for each in counted] == sorted(each.params for each in counted)
