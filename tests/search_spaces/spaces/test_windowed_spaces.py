"""Swin and CrossFormer as spaces."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space

NAMES = ["swin", "crossformer"]


@pytest.mark.parametrize(
    ("name", "form", "published", "depths"),
    [
        ("swin", "tiny", "swin_tiny_patch4_window7_224", (2, 2, 6, 2)),
        ("swin", "base", "swin_base_patch4_window7_224", (2, 2, 18, 2)),
        ("crossformer", "tiny", "crossformer_tiny", (1, 1, 8, 6)),
        ("crossformer", "base", "crossformer_base", (2, 2, 18, 2)),
    ],
)
def test_published_networks_are_in_the_space(name: str, form: str, published: str, depths: tuple[int, ...]) -> None:
    found, expected = space(name, form=form), network(published)
    values: dict[str, int | float] = {"resolution": 224, "width": expected.stem.width}
    for index, depth in enumerate(depths):
        values[f"stage{index + 1}.depth"] = depth
        for block in range(1, depth + 1):
            knob = f"stage{index + 1}.block{block}"
            values |= {f"{knob}.heads": expected.stem.width * 2**index // 32, f"{knob}.mlp_ratio": 4.0}
            values |= {f"{knob}.window": 7}
    assert found.blueprint(found.architecture(values)) == expected


@pytest.mark.parametrize(
    ("name", "widths", "stages"),
    [
        ("swin", 3, [(2, (1, 2), 2), (3, (1, 2), 2), (3, (4, 5, 6), 2), (3, (1, 2), 1)]),
        ("crossformer", 2, [(2, (1, 2), 2), (2, (1, 2), 2), (3, (6, 7, 8), 2), (3, (2, 4, 6), 1)]),
    ],
)
def test_the_number_of_networks(name: str, widths: int, stages: list[tuple[int, tuple[int, ...], int]]) -> None:
    """Widths, times the product over stages of the sum over depths of (heads x 3 ratios x windows) ** depth."""
    expected = widths
    for heads, depths, windows in stages:
        expected *= sum((heads * 3 * windows) ** depth for depth in depths)
    assert space(name, form="tiny").size() == expected


@pytest.mark.parametrize("name", NAMES)
def test_small_networks_are_quick(name: str) -> None:
    found = space(name, form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("side", "channels"), [(8, 1), (32, 3), (64, 2)])
def test_small_images_of_any_size(name: str, side: int, channels: int) -> None:
    found = space(name, form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (side // 4, side // 4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (192,)}, r"window 7 does not divide the map 48x48: allowed: \[1, 2, 3, 4, 6, 8, 12"),
        ({"resolutions": (225,)}, "setting 'resolutions' got 225: allowed: multiples of 4"),
        ({"form": "small_image", "resolutions": (10,)}, r"window 2 does not divide the map 5x5: allowed: \[1, 5\]"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_settings_that_are_not_allowed(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space(name, **settings)
