from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.knobs import Value
from search_spaces.networks import network
from search_spaces.spaces import space


@pytest.mark.parametrize(("form", "name", "first"), [("tiny", "lsnet_t", 0), ("base", "lsnet_b", 4)])
def test_the_published_networks_are_members(form: str, name: str, first: int) -> None:
    found = space("lsnet", form=form)
    values: dict[str, Value] = dict(found.largest().values)
    values.update({knob: 2 for knob in values if knob.endswith("expansion")})
    values["stage1.depth"] = first
    values = {knob: value for knob, value in values.items() if first or not knob.startswith("stage1.block")}
    assert found.blueprint(found.architecture(values)) == network(name)


def test_a_first_stage_without_blocks_is_left_out() -> None:
    found = space("lsnet", form="tiny")
    names = [stage.name for stage in found.blueprint(found.smallest()).stages]
    assert names == ["stage2", "stage3", "stage4"]


def test_the_number_of_networks() -> None:
    """3 expansions a block; 3 kernels more for each of odd position but in the last stage; summed over depths."""
    first, second = 1 + 3, 3 + 3 * 9
    third = (3 * 9) ** 3 * (1 + 3 + 3 * 9)
    fourth = 3**8 + 3**9 + 3**10
    assert space("lsnet", form="tiny").size() == 3 * 3 * first * second * third * fourth


@pytest.mark.parametrize("side", [8, 15, 28, 64])
@pytest.mark.parametrize("channels", [1, 4])
def test_small_images_of_any_size_and_number_of_channels(side: int, channels: int) -> None:
    found = space("lsnet", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (-(-side // 8),) * 2


def test_small_networks_are_quick() -> None:
    found = space("lsnet", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": (64, 68)}, "space 'lsnet', setting 'widths' got 68: allowed: multiples of 8"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("lsnet", **settings)
