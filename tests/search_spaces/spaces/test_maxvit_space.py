from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space
from search_spaces.testing import check_costs


@pytest.mark.parametrize("form", ["tiny", "base"])
def test_tables_of_the_published_forms(form: str) -> None:
    check_costs(space("maxvit", form=form), 5)


@pytest.mark.parametrize(("form", "depths"), [("tiny", (2, 2, 5, 2)), ("base", (2, 6, 14, 2))])
def test_published_maxvits_are_in_the_space(form: str, depths: tuple[int, ...]) -> None:
    found, published = space("maxvit", form=form), network(f"maxvit_{form}_tf_224")
    width = published.stages[0].width
    values: dict[str, int | float] = {"resolution": 224, "width": width}
    for index, depth in enumerate(depths):
        values[f"stage{index + 1}.depth"] = depth
        for block in range(1, depth + 1):
            name = f"stage{index + 1}.block{block}"
            values |= {f"{name}.heads": width * 2**index // 32, f"{name}.mlp_ratio": 4.0}
            values |= {f"{name}.window": 7, f"{name}.expansion": 4.0}
    assert found.blueprint(found.architecture(values)) == published


def test_the_number_of_maxvits() -> None:
    stages = [(2, (1, 2), 2), (3, (1, 2), 2), (3, (3, 4, 5), 2), (3, (1, 2), 1)]
    expected = 3
    for heads, depths, windows in stages:
        expected *= sum((heads * 9 * windows) ** depth for depth in depths)
    assert space("maxvit", form="tiny").size() == expected


def test_small_maxvits_are_quick() -> None:
    found = space("maxvit", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (32, 3), (64, 2)])
def test_small_images_of_any_size(side: int, channels: int) -> None:
    found = space("maxvit", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (side // 4, side // 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (192,)}, r"window 7 does not divide the map 48x48: allowed: \[1, 2, 3, 4, 6, 8, 12"),
        ({"resolutions": (225,)}, "setting 'resolutions' got 225: allowed: multiples of 32"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_maxvit_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("maxvit", **settings)
