from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space


@pytest.mark.parametrize(("form", "name"), [("tiny", "convnext_tiny"), ("base", "convnext_base")])
def test_the_largest_network_is_the_published_one(form: str, name: str) -> None:
    found = space("convnext", form=form)
    assert found.blueprint(found.largest()) == network(name)


def test_the_number_of_networks() -> None:
    """Choices to the power of blocks, summed over depths, stage by stage: 3 kernels, 3 expansions."""
    blocks = sum(9**depth for depth in (2, 3)) ** 3 * sum(9**depth for depth in (5, 7, 9))
    assert space("convnext", form="tiny").size() == 3 * 3 * blocks


@pytest.mark.parametrize("side", [8, 14, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 4])
def test_small_images_of_any_size_and_number_of_channels(side: int, channels: int) -> None:
    found = space("convnext", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (-(-side // 8),) * 2


def test_small_networks_are_quick() -> None:
    found = space("convnext", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (222,)}, "space 'convnext', setting 'resolutions' got 222: allowed: multiples of 4"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
        ({"widths": (0,)}, "setting 'widths.0' got 0: .*greater than 0"),
        ({"width": 96}, "unknown setting of space 'convnext' 'width': did you mean 'widths'"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("convnext", **settings)
