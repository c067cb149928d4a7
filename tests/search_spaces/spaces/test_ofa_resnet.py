from __future__ import annotations

from math import prod

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space


def test_the_small_form_is_quick() -> None:
    found = space("ofa_resnet", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


def test_the_number_of_networks() -> None:
    """Resolutions, the stem's four knobs, then widths x (expansions ** depth, summed) of each stage."""
    stages = prod(3 * sum(3**depth for depth in depths) for depths in ((2, 3, 4), (2, 3, 4), (4, 5, 6), (2, 3, 4)))
    assert space("ofa_resnet").size() == 8 * (2 * 3 * 2) * stages


@pytest.mark.parametrize("side", [8, 12, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 5])
def test_small_images_of_any_size_and_number_of_channels(side: int, channels: int) -> None:
    found = space("ofa_resnet", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    for architecture in (found.smallest(), found.largest()):
        placed = list(found.blueprint(architecture).placed())
        assert placed[0].in_width == channels
        assert min(placed[-1].in_size) >= 2


def test_the_ends_of_the_space_are_the_published_ones() -> None:
    found = space("ofa_resnet", resolutions=(128, 224))
    assert found.blueprint(found.largest()) == network("ofa_resnet50d_max")
    assert found.blueprint(found.smallest()) == network("ofa_resnet50d_min")


def test_resnet50d_is_a_member() -> None:
    found = space("ofa_resnet")
    values = {**found.largest().values, "resolution": 224}
    values |= {f"stage{number}.depth": depth for number, depth in enumerate((3, 4, 6, 3), start=1)}
    values |= {knob: 0.25 for knob in values if knob.endswith("expansion")}
    assert found.blueprint(found.architecture(values)) == network("ofa_resnet50d")


def test_widths_are_those_of_the_multipliers() -> None:
    """64, 256, ... x 0.65, 0.8, 1.0, to multiples of 8; half of the stem for its first convolutions."""
    choices = {knob.name: knob.values for knob in space("ofa_resnet").knobs if knob.name.endswith("width")}
    assert list(choices.values()) == [
        (24, 32),
        (40, 48, 64),
        (168, 208, 256),
        (336, 408, 512),
        (664, 816, 1024),
        (1328, 1640, 2048),
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "huge"}, "setting 'form' got 'huge': .*'imagenet' or 'small_image'"),
        ({"resolutions": ()}, r"setting 'resolutions' got \(\): "),
        ({"resolutions": (0,)}, "setting 'resolutions.0' got 0: .*greater than 0"),
        ({"widths": (1,)}, "unknown setting of space 'ofa_resnet' 'widths'"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("ofa_resnet", **settings)
