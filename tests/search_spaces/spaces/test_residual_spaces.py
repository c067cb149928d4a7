"""ResNet, RegNet and VoVNet as spaces: contract, sizes, small images, the road to their published members."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space
from search_spaces.spaces.regnet import Line
from search_spaces.spaces.resnet import ResNet
from search_spaces.testing import check_covering, check_space

FAMILIES = ("resnet", "regnet", "vovnet")
PUBLISHED_FORMS = [
    *(("resnet", form) for form in ResNet.forms if form != "small_image"),
    ("regnet", "x"),
    ("regnet", "y"),
    ("vovnet", "vovnet"),
    ("vovnet", "ese_vovnet"),
]


@pytest.mark.parametrize("resolutions", [(8, 12), (7, 41)])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_contract_of_spaces(family: str, resolutions: tuple[int, int]) -> None:
    check_space(space(family, form="small_image", resolutions=resolutions, in_channels=2, num_classes=3), 8)


@pytest.mark.parametrize(("family", "form"), PUBLISHED_FORMS)
def test_published_forms_are_covered(family: str, form: str) -> None:
    found = space(family, form=form, num_classes=10)
    shared = SharedWeights(found)
    check_covering(shared, 4)
    shared.parts(found.blueprint(found.smallest()), shared.tensors)


def test_sizes() -> None:
    assert space("resnet").size() == 5 * 3 * (2 * 2) * (3 * 2) * (4 * 2) * (2 * 2)
    assert space("regnet").size() == 5 * 3 * (3 * 3) * (4 * 3) * (4 * 3) * (3 * 3)
    assert space("vovnet").size() == 4 * 3 * (2 * 6) * (3 * 6) * (4 * 6) * (3 * 6)
    assert space("resnet", form="small_image").size() == 3 * 3 * (3 * 2) ** 3
    assert space("regnet", form="small_image").size() == 3 * 3 * (3 * 2) ** 3
    assert space("vovnet", form="small_image").size() == 3 * 3 * (2 * 2 * 2) ** 3


@pytest.mark.parametrize("side", [8, 16, 28, 32, 64])
@pytest.mark.parametrize("family", FAMILIES)
def test_small_images(family: str, side: int) -> None:
    found = space(family, form="small_image", resolutions=(side,), in_channels=1, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == 1
    assert min(placed[-1].in_size) >= 2
    if side <= 16:
        assert cost(found.blueprint(found.largest())).macs < 2_000_000


def layout(blueprint: Blueprint) -> list[tuple[int, int]]:
    return [(stage.width, stage.depth) for stage in blueprint.all_stages()]


@pytest.mark.parametrize(
    ("form", "name", "depths"),
    [
        ("resnet", "resnet50", (3, 4, 6, 3)),
        ("resnet", "resnet152", (3, 8, 36, 3)),
        ("resnet_basic", "resnet34", (3, 4, 6, 3)),
        ("resnet_d", "resnet101d", (3, 4, 23, 3)),
        ("resnext", "resnext50_32x4d", (3, 4, 6, 3)),
        ("ecaresnet_d", "ecaresnet50d", (3, 4, 6, 3)),
        ("resnetrs", "resnetrs200", (3, 24, 36, 3)),
    ],
)
def test_published_networks_are_members(form: str, name: str, depths: tuple[int, ...]) -> None:
    found = space("resnet", form=form)
    values: dict[str, int | float] = {"resolution": 224, "width": 1.0}
    for number, depth in enumerate(depths, start=1):
        values[f"stage{number}.depth"] = depth
        values[f"stage{number}.bottleneck"] = ResNet.forms[form].choices["bottleneck"][-1]
    member, published = found.blueprint(found.architecture(values)), network(name, 224)
    assert layout(member) == layout(published)
    assert cost(member, "fvcore") == cost(published, "fvcore")


def test_regnety_016_is_a_member() -> None:
    found = space("regnet", form="y")
    values: dict[str, int | float] = {"resolution": 224, "width": 1.0}
    for number, depth in enumerate((2, 6, 17, 2), start=1):
        values |= {f"stage{number}.depth": depth, f"stage{number}.group_width": 24}
    assert found.blueprint(found.architecture(values)) == network("regnety_016")


def test_the_quantised_line_of_regnetx_200mf() -> None:
    """Radosavovic et al. 2020: [1, 1, 4, 7] blocks of [24, 56, 152, 368] channels, groups of 8."""
    assert Line(13, 24, 36.44, 2.49, 8).stages() == [(1, 24, 8), (1, 56, 8), (4, 152, 8), (7, 368, 8)]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((0, 24, 36.44, 2.49, 8), "RegNet's depth got 0: give 1 or more"),
        ((13, 0, 36.44, 2.49, 8), "RegNet's initial_width got 0: give 1 or more"),
        ((13, 24, -1, 2.49, 8), "RegNet's slope got -1: give 0 or more"),
        ((13, 24, 36.44, 1, 8), "RegNet's multiplier got 1: give more than 1"),
        ((13, 24, 36.44, 2.49, 0), "RegNet's group_width got 0: give 1 or more"),
    ],
)
def test_lines_that_are_not_allowed(parameters: tuple[int, int, float, float, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Line(*parameters)


@pytest.mark.parametrize("family", FAMILIES)
def test_settings_that_are_not_allowed(family: str) -> None:
    for settings, message in (
        ({"form": "small"}, f"space '{family}', setting 'form' got 'small': .*'small_image'"),
        ({"resolutions": (0,)}, "setting 'resolutions.0' got 0: .*greater than 0"),
        ({"width_multipliers": (1.0, 0.5)}, r"knob 'width' got values \(1.0, 0.5\): an ordered knob lists numbers"),
    ):
        with pytest.raises(UsageError, match=message):
            space(family, **settings)
