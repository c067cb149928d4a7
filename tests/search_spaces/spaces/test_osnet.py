from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space


def test_the_small_form_is_quick() -> None:
    found = space("osnet", form="small_image")
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


def test_the_size() -> None:
    """Each block has 4 scales and 4 places of instance norms; a stage 1, 2 or 3 blocks; the network 4 widths."""
    assert space("osnet").size() == 4 * (16 + 16**2 + 16**3) ** 3


def test_the_published_networks_lie_in_the_space() -> None:
    found = space("osnet", depths=(2,), instance_norm=False)
    largest = found.largest()
    assert found.blueprint(largest) == network("osnet_x1_0")
    quarter = found.architecture({**largest.values, "width": 0.25})
    assert found.blueprint(quarter) == network("osnet_x0_25")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "square"}, "setting 'form' got 'square': .*'person' or 'small_image'"),
        ({"heights": (255,)}, "setting 'heights' of space 'osnet' got 255: form 'person' takes multiples of 2 from 34"),
        ({"heights": (32,)}, "setting 'heights' of space 'osnet' got 32: form 'person' takes multiples of 2 from 34"),
        ({"form": "small_image", "heights": (4,)}, "got 4: form 'small_image' takes multiples of 1 from 5 pixels on"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("osnet", **settings)


def test_persons_are_twice_as_high_as_wide() -> None:
    found = space("osnet", heights=(64, 256))
    assert [found.blueprint(each).resolution for each in (found.smallest(), found.largest())] == [(64, 32), (256, 128)]


@pytest.mark.parametrize("side", [8, 17, 64])
def test_small_images_of_any_size(side: int) -> None:
    found = space("osnet", form="small_image", heights=(side,))
    assert min(list(found.blueprint(found.largest()).placed())[-1].in_size) >= 2
