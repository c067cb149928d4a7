from dataclasses import replace

import pytest

from scaling.sides import at_sides, demand, follow_windows, scale_sides, side_multiples
from search_spaces.block import cost
from search_spaces.blueprint import Block, Blueprint
from search_spaces.networks import network


def windows(blueprint: Blueprint) -> list[int]:
    return [int(stage.blocks[0].get("window", 0)) for stage in blueprint.stages]


@pytest.mark.parametrize(
    ("base", "published"),
    [
        ("swin_base_patch4_window7_224", "swin_base_patch4_window12_384"),
        ("swin_large_patch4_window7_224", "swin_large_patch4_window12_384"),
        ("maxvit_tiny_tf_224", "maxvit_tiny_tf_384"),
        ("maxvit_tiny_tf_224", "maxvit_tiny_tf_512"),
    ],
)
def test_windows_grow_with_the_image_as_published(base: str, published: str) -> None:
    larger = network(published)
    scaled = scale_sides(network(base), larger.resolution[0] / 224)
    assert (scaled.resolution, windows(scaled)) == (larger.resolution, windows(larger))


@pytest.mark.parametrize(
    ("name", "multiple"),
    [
        ("efficientnet_b0", 4),
        ("vit_base_patch16_224", 16),
        ("vit_huge_patch14_224", 28),
        ("swin_tiny_patch4_window7_224", 32),
        ("crossformer_tiny", 32),
        ("SReT_T", 32),
        ("inception_v4", 32),
        ("vit_resnas_tiny", 56),
    ],
)
def test_sides_are_multiples_of_what_the_maps_need(name: str, multiple: int) -> None:
    assert side_multiples(network(name)) == (multiple, multiple)


@pytest.mark.parametrize("factor", [0.4, 0.71, 1.1, 1.29, 2.0])
@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "crossformer_small", "SReT_T", "vit_resnas_tiny"])
def test_every_scaled_image_fits(name: str, factor: float) -> None:
    scaled = scale_sides(network(name), factor)
    assert scaled.resolution[0] / 224 == pytest.approx(factor, rel=0.25)
    assert cost(scaled).params > 0


def test_sides_that_do_not_change_change_no_window() -> None:
    base = network("swin_tiny_patch4_window7_224")
    assert scale_sides(base, 1.0) is base
    assert scale_sides(base, 1.01) is base


def test_a_window_that_can_not_keep_its_proportion_takes_the_nearest_divisor() -> None:
    base = network("swin_tiny_patch4_window7_224")
    assert windows(follow_windows(base, at_sides(base, (160, 160)))) == [5, 5, 5, 5]
    assert windows(follow_windows(base, at_sides(base, (192, 128)))) == [4, 4, 4, 2]


def test_what_a_block_demands() -> None:
    assert demand(Block.of("sret", groups=8, later_groups=2, stride=2)).multiple == 4
    assert demand(Block.of("fbnet_block", groups=2)).multiple == 1
    assert demand(Block.of("swin", window=7, stride=2))[:2] == (2, 7)


def test_the_blocks_stay_at_other_sides() -> None:
    base = network("resnet18")
    assert at_sides(base, (96, 64)) == replace(base, resolution=(96, 64))
