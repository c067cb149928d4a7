from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.published.vit_resnas import SIZES
from search_spaces.spaces import space


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("tiny", "vit_resnas_tiny"),
        ("tiny", "vit_resnas_tiny_supernet"),
        ("small", "vit_resnas_small_supernet"),
    ],
)
def test_published_networks_are_in_the_space(form: str, name: str) -> None:
    found, (widths, blocks) = space("vit_resnas", form=form), SIZES[name]
    values: dict[str, int] = {"resolution": 224}
    for number, (width, layers) in enumerate(zip(widths, blocks, strict=True), start=1):
        values |= {f"stage{number}.width": width, f"stage{number}.depth": len(layers)}
        for layer, (heads, mlp_width) in enumerate(layers, start=1):
            values |= {f"stage{number}.layer{layer}.heads": heads}
            values |= {f"stage{number}.layer{layer}.mlp_width": mlp_width}
    assert found.blueprint(found.architecture(values)) == network(name)


def test_the_number_of_resnas_networks() -> None:
    stage = 5 * sum((4 * 7) ** depth for depth in (3, 4, 5, 6))
    assert space("vit_resnas", form="tiny").size() == stage**3


def test_small_resnas_networks_are_quick() -> None:
    found = space("vit_resnas", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (24, 3), (64, 2)])
def test_small_images_of_any_size(side: int, channels: int) -> None:
    found = space("vit_resnas", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (side // 8, side // 8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (224, 252)}, "setting 'resolutions' got 252: allowed: multiples of 56"),
        ({"form": "medium"}, "setting 'form' got 'medium'"),
    ],
)
def test_resnas_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("vit_resnas", **settings)
