from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space


@pytest.mark.parametrize(("name", "width", "large_depth", "heads"), [("9", 256, 3, 4), ("15", 384, 5, 6)])
def test_published_crossvits_are_in_the_space(name: str, width: int, large_depth: int, heads: int) -> None:
    found = space("crossvit")
    values: dict[str, int | float] = {"resolution": 240, "width": width, "depth": 3}
    for block in (1, 2, 3):
        values |= {
            f"block{block}.large_depth": large_depth,
            f"block{block}.heads": heads,
            f"block{block}.mlp_ratio": 3.0,
        }
    assert found.blueprint(found.architecture(values)) == network(f"crossvit_{name}_240")


def test_the_number_of_crossvits() -> None:
    assert space("crossvit").size() == 3 * 4 * sum((4 * 4 * 3) ** depth for depth in (2, 3))


def test_small_crossvits_are_quick() -> None:
    found = space("crossvit", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (20, 3), (64, 2)])
def test_small_images_of_any_size(side: int, channels: int) -> None:
    found = space("crossvit", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (side // 4, side // 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (224,)}, "setting 'resolutions' got 224: allowed: multiples of 12, the small patch"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_crossvit_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("crossvit", **settings)
