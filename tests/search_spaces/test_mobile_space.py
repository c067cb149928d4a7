"""What every space of inverted bottlenecks keeps, at its form for small images."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.spaces import space
from search_spaces.testing import check_space

FAMILIES = ("mobilenetv2", "mobilenetv3", "efficientnet", "efficientnetv2", "ofa_proxyless", "alphanet")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_contract_of_a_space(family: str) -> None:
    check_space(space(family, form="small_image", in_channels=2, num_classes=4), num=6)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_small_form_is_quick(family: str) -> None:
    found = space(family, form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", [8, 12, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 5])
def test_small_images_of_any_size_and_number_of_channels(family: str, side: int, channels: int) -> None:
    found = space(family, form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    for architecture in (found.smallest(), found.largest()):
        placed = list(found.blueprint(architecture).placed())
        assert placed[0].in_width == channels
        assert min(placed[-1].in_size) >= 2
        assert placed[-1].out_width == 4


@pytest.mark.parametrize("family", FAMILIES)
def test_every_knob_changes_the_network(family: str) -> None:
    found = space(family)
    largest = found.largest()
    whole = found.blueprint(largest)
    for knob in found.knobs:
        if len(knob.values) > 1:
            other = found.architecture({**largest.values, knob.name: knob.values[0]})
            assert found.blueprint(other) != whole, knob.name


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "huge"}, "setting 'form' got 'huge': .*'small_image'"),
        ({"resolutions": ()}, r"setting 'resolutions' got \(\): "),
        ({"resolutions": (128, 0)}, "setting 'resolutions.1' got 0: .*greater than 0"),
        ({"width_multipliers": (-1.0,)}, "setting 'width_multipliers.0' got -1.0: .*greater than 0"),
        ({"width_multipliers": (1.0, 0.5)}, r"knob 'width' got values \(1.0, 0.5\): an ordered knob lists numbers"),
        ({"resolution": 128}, "unknown setting of space '.*' 'resolution': did you mean 'resolutions'"),
    ],
)
def test_settings_that_are_not_allowed(family: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space(family, **settings)
