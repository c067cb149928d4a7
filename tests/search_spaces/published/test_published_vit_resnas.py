"""ViT-ResNAS against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network

# reference/spaces.md F5: parameters with the classifier alone, as built with the head for patches, MACs.
PUBLISHED = {
    "vit_res_tiny": (42_012_736, 42_781_736, 1_794_378_240),
    "vit_resnas_tiny": (40_793_552, 41_498_552, 1_782_630_272),
    "vit_resnas_tiny_supernet": (84_814_464, 85_839_464, 3_497_553_920),
    "vit_resnas_small_supernet": (155_318_528, 156_599_528, 6_260_342_784),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    params, with_patch_head, macs = PUBLISHED[name]
    blueprint = network(name)
    counted = cost(blueprint)
    assert (counted.params, counted.macs) == (params, macs)
    assert params + (blueprint.stages[-1].width + 1) * 1000 == with_patch_head


@pytest.mark.parametrize(("name", "limit"), [("vit_resnas_small", 2.9), ("vit_resnas_medium", 4.6)])
def test_the_larger_ones_keep_the_limit_of_their_search(name: str, limit: float) -> None:
    """methods.md B3: at most 2.9 and 4.6 GMACs."""
    assert limit - 0.1 < cost(network(name)).macs / 1e9 <= limit


def test_resnas_as_fvcore_counts_it() -> None:
    blueprint = network("vit_resnas_tiny", 56, num_classes=10)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
