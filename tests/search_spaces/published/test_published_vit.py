"""Vision transformers against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network
from search_spaces.spaces.vit import encoder

# fvcore's counts (params, MACs, activations) of timm 1.0.31 with fused attention off.
PUBLISHED = {
    "deit_tiny_patch16_224": (5_717_416, 1_258_411_200, 5_974_636),
    "deit_small_patch16_224": (22_050_664, 4_608_338_304, 11_948_272),
    "deit_base_patch16_224": (86_567_656, 17_582_740_224, 23_895_544),
    "vit_base_patch32_224": (88_224_232, 4_413_986_304, 5_006_632),
    "vit_base_patch8_224": (86_576_872, 78_223_697_664, 161_685_112),
}

# timm's table of inference speeds, rounded to two digits: resolution, params (M), GMACs, activations (M).
ROUNDED = {
    "vit_tiny_patch16_224": (384, 5.79, 4.70, 25.39),
    "vit_small_patch32_224": (224, 22.88, 1.15, 2.50),
    "vit_base_patch16_224": (384, 86.86, 55.54, 101.56),
    "vit_large_patch14_224": (224, 304.20, 81.08, 88.79),
    "vit_large_patch16_224": (224, 304.33, 61.60, 63.52),
    "vit_large_patch32_224": (384, 306.63, 45.31, 43.86),
    "vit_giant_patch14_224": (224, 1012.61, 267.18, 192.64),
    "vit_gigantic_patch14_224": (224, 1844.44, 483.95, 275.37),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == PUBLISHED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_counts_of_the_other_sizes_to_two_digits(name: str) -> None:
    resolution, *expected = ROUNDED[name]
    counted = cost(network(name, resolution), "fvcore")
    found = [counted.params / 1e6, counted.macs / 1e9, counted.activations / 1e6]
    assert [round(number, 2) for number in found] == expected


def test_products_with_weights_and_of_attention_as_forward_hooks_count_them() -> None:
    """reference/spaces.md F6: 1,074,851,328 in convolution and linear maps, 178,831,872 in attention."""
    assert cost(network("deit_tiny_patch16_224")).macs == 1_074_851_328 + 178_831_872
    assert cost(network("deit_small_patch16_224")).macs == 4_241_218_560 + 357_663_744


def test_patch_8_without_its_classifier() -> None:
    """timm's vit_small_patch8_224 is DINO's, without a classifier: 21.67 M parameters, 22.44 GMACs."""
    counted = cost(network("vit_small_patch8_224"), "fvcore")
    assert round((counted.params - 385_000) / 1e6, 2) == 21.67
    assert round((counted.macs - 384_000) / 1e9, 2) == 22.44


def test_sovit_without_its_classifier() -> None:
    """timm's vit_so400m_patch14_siglip_224 has no classifier: 427,680,704 parameters, 110.26 GMACs."""
    counted = cost(network("sovit_400m_patch14_224"), "fvcore")
    assert counted.params - 1000 * (1152 + 1) == 427_680_704
    assert round((counted.macs - 1000 * 1152) / 1e9, 2) == 110.26


def test_the_closed_form_is_what_fvcore_traces() -> None:
    blueprint = network("deit_tiny_patch16_224", 64, num_classes=10, in_channels=1)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_a_patch_that_does_not_divide_the_resolution() -> None:
    with pytest.raises(UsageError, match=r"patch 16 does not divide the resolution 200x200: allowed patches: \[1, 2"):
        cost(network("deit_tiny_patch16_224", 200))


def test_heads_that_do_not_divide_the_width() -> None:
    with pytest.raises(UsageError, match=r"heads 5 do not divide the width 12: allowed: \[1, 2, 3, 4, 6, 12\]"):
        encoder(12, 1, 5, 24)
