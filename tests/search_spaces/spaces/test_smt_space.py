from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space


@pytest.mark.parametrize(("form", "name"), [("tiny", "smt_t"), ("base", "smt_b")])
def test_the_largest_network_is_the_published_one(form: str, name: str) -> None:
    found = space("smt", form=form)
    assert found.blueprint(found.largest()) == network(name)


def test_the_number_of_networks() -> None:
    """3 expansions a block, 2 in the last stage, summed over depths."""
    blocks = (3 + 9) ** 2 * (3**4 + 3**6 + 3**8) * 2
    assert space("smt", form="tiny").size() == 3 * 3 * blocks


def test_where_the_stages_attend() -> None:
    found = space("smt", form="tiny")
    stages = found.blueprint(found.largest()).stages
    kinds = ["".join("A" if "attention" in block.kind else "M" for block in stage.blocks) for stage in stages]
    assert kinds == ["MM", "MM", "MAMAMAMA", "A"]


@pytest.mark.parametrize("side", [8, 14, 28, 64])
@pytest.mark.parametrize("channels", [1, 4])
def test_small_images_of_any_size_and_number_of_channels(side: int, channels: int) -> None:
    found = space("smt", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (-(-side // 8),) * 2


def test_small_networks_are_quick() -> None:
    found = space("smt", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": (64, 66)}, "space 'smt', setting 'widths' got 66: allowed: multiples of 4"),
        ({"resolutions": (222,)}, "space 'smt', setting 'resolutions' got 222: allowed: multiples of 4"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("smt", **settings)
