"""MaxViTs against published counts, to the digit, once the look-up of the reference's position biases is added.

timm 1.0.31 looks biases up as TensorFlow does, by two products with one-hot tensors, which fvcore counts; here they are
indexed, which costs nothing. For a network's ``heads`` of one attention and windows of M cells, D = 2 M - 1, they are
heads x M^2 x D^2 and heads x M^4 x D MACs and heads x M^2 x D and heads x M^4 elements.
"""

from __future__ import annotations

from math import floor

import pytest
import torch
from torch import Tensor, nn

from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost, fvcore_totals
from search_spaces.networks import network

# fvcore's counts (params, MACs, activations) of timm 1.0.31 with fused attention off, and the look-up's MACs in them.
PUBLISHED = {
    "maxvit_tiny_tf_224": ((30_916_528, 5_598_377_504, 35_778_232), 6_635_040),
    "maxvit_large_tf_224": ((211_785_560, 43_677_646_484, 127_346_888), 27_172_500),
}

# timm's table of MaxViT models, rounded to two digits: params (M), GMACs, activations (M).
ROUNDED = {
    "maxvit_small_tf_224": [68.93, 11.66, 53.17],
    "maxvit_base_tf_224": [119.47, 24.04, 95.01],
    "maxvit_tiny_tf_384": [30.98, 17.53, 123.42],
    "maxvit_small_tf_384": [69.02, 35.87, 183.65],
    "maxvit_base_tf_384": [119.65, 73.80, 332.90],
    "maxvit_large_tf_384": [212.03, 132.55, 445.84],
    "maxvit_xlarge_tf_384": [475.32, 292.78, 668.76],
    "maxvit_tiny_tf_512": [31.05, 33.49, 257.59],
    "maxvit_small_tf_512": [69.13, 67.26, 383.77],
    "maxvit_base_tf_512": [119.88, 138.02, 703.99],
    "maxvit_large_tf_512": [212.33, 244.75, 942.15],
    "maxvit_xlarge_tf_512": [475.77, 534.14, 1413.22],
}


def lookups(blueprint: Blueprint) -> tuple[int, int]:
    """Return the (MACs, activations) that fvcore counts in the look-ups; it reads its products from four digits."""
    macs = activations = 0
    for stage in blueprint.stages:
        for block in stage.blocks:
            heads, side = int(block.get("heads", 0)), int(block.get("window", 0))
            offsets = 2 * side - 1
            products = (heads * side**2 * offsets**2, heads * side**4 * offsets)
            macs += 2 * sum(floor(float(f"{2 * product:.3e}") / 2) for product in products)
            activations += 2 * (heads * side**2 * offsets + heads * side**4)
    return macs, activations


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    (params, macs, activations), lookup = PUBLISHED[name]
    counted, looked_up = cost(network(name), "fvcore"), lookups(network(name))
    assert looked_up[0] == lookup
    assert (counted.params, counted.macs + lookup, counted.activations + looked_up[1]) == (params, macs, activations)


@pytest.mark.parametrize("name", ROUNDED)
def test_counts_of_the_other_sizes_to_two_digits(name: str) -> None:
    counted, (macs, activations) = cost(network(name), "fvcore"), lookups(network(name))
    found = [counted.params / 1e6, (counted.macs + macs) / 1e9, (counted.activations + activations) / 1e6]
    assert [round(number, 2) for number in found] == ROUNDED[name]


def test_the_extra_large_one_has_the_classes_of_imagenet_21k_in_timm() -> None:
    """timm 1.0.31 builds 506,987,643 parameters for ``maxvit_xlarge_tf_224``, the repository's README says 475 M."""
    assert cost(network("maxvit_xlarge_tf_224", num_classes=21_843)).params == 506_987_643
    assert round(cost(network("maxvit_xlarge_tf_224")).params / 1e6) == 475


class OneHotLookup(nn.Module):
    """Biases by two products of a table (heads, D, D) with one-hot tensors (M, M, D), as TensorFlow looks them up."""

    def forward(self, factors: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        table, rows, columns = factors
        return torch.einsum("nixw,jyw->nijxy", torch.einsum("nhw,ixh->nixw", table, rows), columns)


@pytest.mark.parametrize("heads", [2, 16])
def test_what_fvcore_counts_in_a_look_up(heads: int) -> None:
    table, hot = torch.zeros(heads, 13, 13), torch.zeros(7, 7, 13)
    _, macs, activations = fvcore_totals(OneHotLookup(), (table, hot, hot))
    blueprint = network("maxvit_tiny_tf_224")
    stage = next(stage for stage in blueprint.stages if stage.blocks[0].get("heads", 0) == heads)
    alone = Blueprint("maxvit", 3, (224, 224), blueprint.stem, (stage,), blueprint.head)
    assert lookups(alone) == (2 * stage.depth * macs, 2 * stage.depth * activations)


def test_maxvit_as_fvcore_counts_it() -> None:
    blueprint = network("maxvit_tiny_tf_224", num_classes=10)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_a_resolution_that_the_windows_do_not_divide() -> None:
    with pytest.raises(UsageError, match="window 7 does not divide the map 48x48"):
        cost(network("maxvit_tiny_tf_224", 192))
