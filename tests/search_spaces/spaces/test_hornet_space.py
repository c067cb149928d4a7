from __future__ import annotations

import numpy as np
import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network
from search_spaces.spaces import space
from search_spaces.testing import check_space


@pytest.mark.parametrize("form", ["small_image", "small_image_gf"])
def test_the_contract_at_three_resolutions(form: str) -> None:
    check_space(space("hornet", form=form, in_channels=1, num_classes=4), num=6)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("tiny", "hornet_tiny_7x7"),
        ("tiny_gf", "hornet_tiny_gf"),
        ("base", "hornet_base_7x7"),
        ("base_gf", "hornet_base_gf"),
    ],
)
def test_the_published_networks_are_members(form: str, name: str) -> None:
    found = space("hornet", form=form)
    values = {**found.largest().values, "stage2.depth": 3}
    assert found.blueprint(found.architecture(values)) == network(name)


def test_the_number_of_networks() -> None:
    """3 kernels x 3 expansions a block, or 3 where it filters, summed over depths."""
    blocks = (9 + 81) ** 2 * (81 + 729) * sum(9**depth for depth in (12, 15, 18))
    assert space("hornet", form="tiny").size() == 3 * 3 * blocks
    filtered = (9 + 81) * (81 + 729) * sum(3**depth for depth in (12, 15, 18)) * (3 + 9)
    assert space("hornet", form="tiny_gf").size() == 3 * 3 * filtered


@pytest.mark.parametrize("side", [8, 14, 28, 64])
@pytest.mark.parametrize("channels", [1, 4])
def test_small_images_of_any_size_and_number_of_channels(side: int, channels: int) -> None:
    found = space("hornet", form="small_image_gf", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (-(-side // 8),) * 2


@pytest.mark.parametrize("form", ["small_image", "small_image_gf"])
def test_small_networks_are_quick(form: str) -> None:
    found = space("hornet", form=form, in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": (64, 66)}, "space 'hornet', setting 'widths' got 66: allowed: multiples of 4"),
        ({"resolutions": (222,)}, "space 'hornet', setting 'resolutions' got 222: allowed: multiples of 4"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("hornet", **settings)


def test_random_networks_of_global_filters_cost_what_fvcore_counts() -> None:
    found = space("hornet", form="small_image_gf", in_channels=2, num_classes=3)
    for blueprint in map(found.blueprint, found.decode(found.sample(np.random.default_rng(0), 6))):
        counted = cost(blueprint, "fvcore")
        assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
