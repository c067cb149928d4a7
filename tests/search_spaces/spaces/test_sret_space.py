from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space
from search_spaces.testing import check_costs


def test_tables_of_a_published_form() -> None:
    check_costs(space("sret", form="tiny"), 5)


@pytest.mark.parametrize(("form", "name"), [("tiny", "T"), ("tiny", "LT_wo_slice"), ("small", "S")])
def test_published_srets_are_in_the_space(form: str, name: str) -> None:
    found, published = space("sret", form=form), network(f"SReT_{name}")
    values: dict[str, int | float | str | bool] = {"resolution": 224, "width": published.stem.width}
    for stage in published.stages:
        values[f"{stage.name}.depth"] = stage.depth
        for number, block in enumerate(stage.blocks, start=1):
            settings, position = dict(block.settings), f"{stage.name}.block{number}"
            values |= {f"{position}.{key}": settings[key] for key in ("groups", "heads", "later_groups", "loops")}
            values[f"{position}.mlp_ratio"] = {"T": 3.6, "LT_wo_slice": 4.0, "S": 3.0}[name]
    assert found.blueprint(found.architecture(values)) == published


def test_the_number_of_srets() -> None:
    stages = [(2 * 3 * 2, (1, 2)), (3 * 3 * 2, (3, 4, 5)), (3, (1, 2, 3))]
    expected = 3 * 2
    for choices, depths in stages:
        expected *= sum((choices * 3 * 3) ** depth for depth in depths)
    assert space("sret", form="tiny").size() == expected


def test_small_srets_are_quick() -> None:
    found = space("sret", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (32, 3), (64, 2)])
def test_small_images_of_any_size(side: int, channels: int) -> None:
    found = space("sret", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (side // 4, side // 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (225,)}, "setting 'resolutions' got 225: allowed: multiples of 32"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_sret_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("sret", **settings)
